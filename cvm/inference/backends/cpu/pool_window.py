"""Where the taps of a pooling window meet the image."""

from cvm.inference.backends.cpu.im2col import Window
from cvm.native_code import kernel


@kernel
def outputs_inside(window: Window, kernel_column: int) -> tuple[int, int]:
    """Return the output columns [low, high) for which a tap's column lies inside the input."""
    stride = window.stride_width
    first = kernel_column * window.dilation_width - window.pad_left
    low = min(max((stride - 1 - first) // stride, 0), window.out_width)
    high = min((window.width - first + stride - 1) // stride, window.out_width)
    return low, max(high, low)
