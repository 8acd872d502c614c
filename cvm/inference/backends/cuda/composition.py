"""Steps on whole tensors, each one launch: what operators of several steps are composed of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from cvm.inference.backends.cuda.device import Kernel
from cvm.inference.backends.cuda.elementwise import stretching_steps, walk_words
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Place, Word
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.tensor_type import Array, Shape

ELEMENTWISE = {"float32": "f32", "int8": "8", "uint8": "8", "int32": "32", "int64": "64"}
"""Ends the name of add, sub and mul; integers of one width wrap around alike, signed or not."""

BITWISE = frozenset({"and", "or", "xor"})
SHIFTS = frozenset({"shift_left", "shift_right"})
COMPARISONS = frozenset({"equal", "less", "less_or_equal", "greater", "greater_or_equal"})
FUNCTIONS = frozenset(
    {
        *("acos", "asin", "atan", "celu", "cos", "cosh", "elu", "erf", "exp", "gelu"),
        *("gelu_tanh", "log", "mish", "selu", "sigmoid", "sin", "sinh", "softplus", "tan", "tanh"),
    }
)
"""The maps of `kernels/functions.cu`; all of them are of float32."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A C-ordered tensor on the device."""

    place: Place
    dtype: str
    shape: Shape

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return prod(self.shape)

    @property
    def width(self) -> str:
        """Return the bits of an element, which end the name of a kernel that only moves it."""
        return str(8 * np.dtype(self.dtype).itemsize)

    def shaped(self, *shape: int) -> "Tensor":
        """Return the same elements with another shape."""
        return replace(self, shape=shape)

    def part(self, first: int, *shape: int) -> "Tensor":
        """Return consecutive elements from number `first` on."""
        place = self.place.after(first * np.dtype(self.dtype).itemsize)
        return Tensor(place, self.dtype, shape)


def bits_of(value: float | np.float32) -> int:
    """Return the bits of a float32 as a word of a record."""
    return int(np.asarray(value, np.float32).view(np.uint32))


def dense_steps(shape: Shape) -> tuple[int, ...]:
    """Return how far apart neighbours along each axis of a C-ordered tensor lie."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


class Composer:
    """Appends steps to the launches of one node; a result without a place goes to scratch."""

    def __init__(self, builder: LaunchBuilder) -> None:
        self.builder = builder

    def operand(self, index: int) -> Tensor:
        """Return input `index`, which is present."""
        kind = self.builder.operand_type(index)
        return Tensor(self.builder.operand(index), kind.dtype, kind.shape)

    def optional(self, index: int) -> Tensor | None:
        """Return input `index`, or None where it is absent."""
        return None if self.builder.optional(index) is None else self.operand(index)

    def result(self, index: int = 0) -> Tensor:
        """Return output `index`."""
        kind = self.builder.result_type(index)
        return Tensor(self.builder.result(index), kind.dtype, kind.shape)

    def constant(self, array: Array) -> Tensor:
        """Keep an array on the device."""
        return Tensor(self.builder.table(array), str(array.dtype), array.shape)

    def number(self, value: float | np.float32) -> Tensor:
        """Keep one float32 on the device."""
        return self.constant(np.asarray(value, np.float32))

    def scratch(self, dtype: str, *shape: int) -> Tensor:
        """Reserve memory that holds nothing between nodes."""
        return Tensor(self.builder.scratch(dtype, *shape), dtype, shape)

    def launch(self, source: str, name: str, threads: int, *words: Word) -> None:
        """Append a launch of at least so many threads."""
        self.builder.add_over(Kernel(source, name), threads, words)

    def map(
        self, name: str, x: Tensor, y: Tensor | None = None, arguments: Sequence[int] = ()
    ) -> Tensor:
        """Append a kernel made by MAP; the result has the dtype of x unless `y` is given."""
        source = "functions" if name.removesuffix("_float32") in FUNCTIONS else "unary"
        source = "select" if "_to_" in name else source
        y = self.scratch(x.dtype, *x.shape) if y is None else y
        words = (*arguments, *(0,) * (3 - len(arguments)))
        self.launch(source, name, x.size, y.place, x.place, x.size, *words)
        return y

    def function(self, name: str, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Append a map of float32 without arguments."""
        return self.map(f"{name}_float32", x, y)

    def binary(self, name: str, a: Tensor, b: Tensor, y: Tensor | None = None) -> Tensor:
        """Append a kernel made by BROADCAST; both operands stretch to the result."""
        if y is None:
            dtype = "bool" if name in COMPARISONS else a.dtype
            y = self.scratch(dtype, *np.broadcast_shapes(a.shape, b.shape))
        source, kernel = binary_kernel(name, "uint8" if a.dtype == "bool" else a.dtype)
        steps = (stretching_steps(operand.shape, y.shape) for operand in (a, b))
        walk = walk_words(y.shape, *steps)
        self.launch(source, kernel, y.size, y.place, a.place, b.place, y.size, *walk)
        return y

    def where(self, condition: Tensor, a: Tensor, b: Tensor, y: Tensor) -> None:
        """Append the choice of a where the condition holds, else of b."""
        operands = (condition, a, b)
        walk = walk_words(y.shape, *(stretching_steps(t.shape, y.shape) for t in operands))
        places = (operand.place for operand in operands)
        self.launch("select", f"where_{y.width}", y.size, y.place, *places, y.size, *walk)

    def cast(self, x: Tensor, dtype: str, y: Tensor | None = None) -> Tensor:
        """Return x in another dtype; without `y`, x itself where it has that dtype."""
        if x.dtype == dtype and y is None:
            return x
        y = self.scratch(dtype, *x.shape) if y is None else y
        source = "uint8" if x.dtype == "bool" else x.dtype
        return self.map(f"{source}_to_{dtype}", x, y)

    def walk(
        self, lengths: Shape, x: Tensor, x_steps: Sequence[int], y: Tensor, y_steps: Sequence[int]
    ) -> None:
        """Copy the elements that two walks over the same lengths meet."""
        words = walk_words(lengths, x_steps, y_steps)
        size = prod(lengths)
        self.launch("movement", f"copy_walk_{y.width}", size, y.place, x.place, size, *words)

    def copy(self, x: Tensor, y: Tensor) -> None:
        """Copy a tensor into another of its size."""
        self.walk((x.size,), x, (1,), y, (1,))

    def permuted(self, x: Tensor, order: Sequence[int], y: Tensor | None = None) -> Tensor:
        """Return x with axis i being its axis `order[i]`."""
        lengths = tuple(x.shape[axis] for axis in order)
        y = self.scratch(x.dtype, *lengths) if y is None else y
        steps = dense_steps(x.shape)
        self.walk(lengths, x, [steps[axis] for axis in order], y, dense_steps(lengths))
        return y

    def fill(self, value: Tensor, y: Tensor) -> None:
        """Write one element everywhere."""
        self.launch("movement", f"fill_{y.width}", y.size, y.place, value.place, y.size)

    def fold(self, name: str, x: Tensor, axes: Sequence[int], y: Tensor | None = None) -> Tensor:
        """Fold x (`sums`, `maxima`, `minima`, `products`) over axes, which keep length 1.

        float32 sums are ordered: chunks of 256, then the chunk totals.
        """
        kept = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
        outer, length, inner = 1, prod(x.shape[axis] for axis in axes), 1
        first, last = (axes[0], axes[-1]) if axes else (len(x.shape), len(x.shape) - 1)
        if all(axis in axes or x.shape[axis] == 1 for axis in range(first, last + 1)):
            outer, inner = prod(x.shape[:first]), prod(x.shape[last + 1 :])
        else:
            others = [axis for axis in range(len(x.shape)) if axis not in axes]
            x = self.permuted(x, [*others, *axes])
            outer = prod(kept)
        y = self.scratch(x.dtype, *kept) if y is None else y
        suffix = fold_suffix(name, x.dtype)
        if name != "products":
            chunks = -(-length // CHUNK)
            partial = self.scratch(x.dtype, outer, chunks, inner)
            words = (partial.place, x.place, partial.size, length, inner)
            self.launch("reductions", f"chunk_{name}{suffix}", partial.size, *words)
            x, length = partial, chunks
        size = outer * inner
        words = (y.place, x.place, size, length, inner)
        self.launch("reductions", f"slice_{name}{suffix}", size, *words)
        return y


def binary_kernel(name: str, dtype: str) -> tuple[str, str]:
    """Return the file and the kernel of a step on two operands of a dtype."""
    if name in ("add", "sub", "mul"):
        return "elementwise", f"{name}_{ELEMENTWISE[dtype]}"
    if name == "pow" and dtype == "float32":
        return "functions", "pow_float32"
    if name in BITWISE:
        return "binary", f"{name}_{8 * np.dtype(dtype).itemsize}"
    return "binary", name if name in SHIFTS else f"{name}_{dtype}"


def fold_suffix(name: str, dtype: str) -> str:
    """Return what ends the name of a fold: nothing for float32, else the dtype or its width."""
    if dtype == "float32":
        return ""
    if name in ("sums", "products"):
        return f"_{8 * np.dtype(dtype).itemsize}"
    return "_uint8" if dtype == "bool" else f"_{dtype}"
