"""The shape rule that MaxPool and AveragePool share."""

from collections.abc import Collection
from dataclasses import dataclass
from math import prod

from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import flag_attribute, ints_attribute
from cvm.inference.operators.operands import (
    operand_type,
    require_elements,
    require_operand_count,
)
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.window import WINDOW_ATTRIBUTES, Window, resolve_window
from cvm.inference.tensor_type import Shape, TensorType

POOLING_ATTRIBUTES = WINDOW_ATTRIBUTES | {"ceil_mode"}


@dataclass(frozen=True, slots=True)
class PoolingShape(Window):
    """A window, the dtype, and the whole shapes of input and output."""

    dtype: str
    input_shape: Shape
    full_output_shape: Shape

    @property
    def taps_per_output(self) -> int:
        """Return the elements of one window, padded ones included."""
        return prod(self.kernel_shape)

    @property
    def window_runs(self) -> int:
        """Return the runs: one for each tap of each line of outputs."""
        return prod(self.full_output_shape[:-1]) * self.taps_per_output

    @property
    def is_solid(self) -> bool:
        """Say whether there are three spatial axes, which the definition works on."""
        return len(self.kernel_shape) > 2


def resolve_pooling(view: NodeView, dtypes: Collection[str]) -> PoolingShape:
    """Check x (n, c, *spatial) and the window; every window must reach into the input."""
    require_operand_count(view, 1)
    x = operand_type(view, 0, dtypes)
    require_elements(view, 0, x)
    kernel_shape = ints_attribute(view, "kernel_shape")
    if kernel_shape is None:
        raise refusal(view, "attribute value", "kernel_shape is missing")
    window = resolve_window(
        view, x.shape[2:], kernel_shape, round_up=flag_attribute(view, "ceil_mode", False)
    )
    _require_no_empty_window(view, window, x.shape[2:])
    return PoolingShape(
        window.kernel_shape,
        window.strides,
        window.pads,
        window.dilations,
        window.output_shape,
        x.dtype,
        x.shape,
        (*x.shape[:2], *window.output_shape),
    )


def _require_no_empty_window(view: NodeView, window: Window, spatial: Shape) -> None:
    """Refuse pads so wide that a window could hold nothing but padding.

    A window that starts before the input ends up inside it if its last tap does (the first
    window is the worst) and no step jumps over the whole axis; one that starts inside holds
    its first tap (the last window is the worst).
    """
    for axis, length in enumerate(spatial):
        dilation, pad = window.dilations[axis], window.pads[axis]
        reach = (window.kernel_shape[axis] - 1) * dilation
        last_start = (window.output_shape[axis] - 1) * window.strides[axis] - pad
        if pad > reach or last_start >= length or (pad > 0 and dilation > length):
            raise refusal(
                view,
                "attribute value",
                f"pads {list(window.pads)} leave a window with padding alone on axis {axis + 2} "
                f"of length {length}; narrow the pads",
            )


def output_type(parameters: PoolingShape, _view: NodeView) -> tuple[TensorType, ...]:
    """Return (n, c, *output spatial) of the input's dtype."""
    return (TensorType(parameters.dtype, parameters.full_output_shape),)
