"""GlobalAveragePool, Softmax, ArgMax and ArgMin as launches of `kernels/reductions.cu`."""

from dataclasses import dataclass
from math import prod

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.argmax import ArgMaxParameters
from cvm.inference.operators.global_average_pool import GlobalAveragePoolParameters
from cvm.inference.operators.softmax import SoftmaxParameters
from cvm.inference.tensor_type import Shape

SOURCE = "reductions"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a C-ordered tensor: how many elements are outside, along and inside it."""

    outer: int
    length: int
    inner: int

    @property
    def slices(self) -> int:
        """Return how many runs of `length` elements there are."""
        return self.outer * self.inner

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return self.slices * self.length

    @property
    def chunks(self) -> int:
        """Return in how many chunks each run is folded."""
        return -(-self.length // CHUNK)


def axis_of(shape: Shape, axis: int) -> Axis:
    """Return one axis of a shape."""
    return Axis(prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))


def build_global_average_pool(builder: LaunchBuilder) -> None:
    """Launch GlobalAveragePool-1: chunk sums, then their sum divided by the count."""
    parameters: GlobalAveragePoolParameters = builder.node.parameters
    axis = Axis(prod(parameters.input_shape[:2]), parameters.count, 1)
    partial = builder.scratch("float32", axis.slices, axis.chunks)
    _add_chunks(builder, "chunk_sums", partial, builder.operand(0), axis)
    words = (builder.result(), partial, axis.slices, axis.chunks, parameters.count)
    builder.add_over(Kernel(SOURCE, "slice_means"), axis.slices, words)


def build_softmax(builder: LaunchBuilder) -> None:
    """Launch Softmax-13: maxima, exponentials of the differences, their sums, quotients."""
    parameters: SoftmaxParameters = builder.node.parameters
    axis = axis_of(parameters.shape, parameters.axis)
    x, y = builder.operand(0), builder.result()
    partial = builder.scratch("float32", axis.slices, axis.chunks)
    folded = builder.scratch("float32", axis.slices)
    _add_fold(builder, "maxima", (folded, partial, x), axis)
    _add_per_slice(builder, "exponentials", (y, x, folded), axis)
    _add_fold(builder, "sums", (folded, partial, y), axis)
    _add_per_slice(builder, "quotients", (y, y, folded), axis)


def build_argmax(builder: LaunchBuilder) -> None:
    """Launch ArgMax-13."""
    _build_extreme(builder, "argmax")


def build_argmin(builder: LaunchBuilder) -> None:
    """Launch ArgMin-13."""
    _build_extreme(builder, "argmin")


def _build_extreme(builder: LaunchBuilder, name: str) -> None:
    """Append the search of every slice by one thread."""
    parameters: ArgMaxParameters = builder.node.parameters
    axis = axis_of(parameters.input_shape, parameters.axis)
    words = (
        builder.result(),
        builder.operand(0),
        axis.slices,
        axis.length,
        axis.inner,
        int(parameters.select_last),
    )
    kernel = Kernel(SOURCE, f"{name}_{builder.operand_type(0).dtype}")
    builder.add_over(kernel, axis.slices, words)


def _add_fold(
    builder: LaunchBuilder, fold: str, places: tuple[Place, Place, Place], axis: Axis
) -> None:
    """Fold every slice of x into y by way of chunk results; places are (y, chunks, x)."""
    y, partial, x = places
    _add_chunks(builder, f"chunk_{fold}", partial, x, axis)
    words = (y, partial, axis.slices, axis.chunks, axis.inner)
    builder.add_over(Kernel(SOURCE, f"slice_{fold}"), axis.slices, words)


def _add_chunks(builder: LaunchBuilder, kernel: str, y: Place, x: Place, axis: Axis) -> None:
    """Fold every chunk of every slice: (outer, length, inner) gives (outer, chunks, inner)."""
    size = axis.slices * axis.chunks
    builder.add_over(Kernel(SOURCE, kernel), size, (y, x, size, axis.length, axis.inner))


def _add_per_slice(
    builder: LaunchBuilder, kernel: str, places: tuple[Place, Place, Place], axis: Axis
) -> None:
    """Combine every element with its slice's value; places are (y, x, slice values)."""
    words = (*places, axis.size, axis.length, axis.inner)
    builder.add_over(Kernel(SOURCE, kernel), axis.size, words)
