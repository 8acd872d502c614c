"""Folds factors and offsets of channels into the Conv, ConvTranspose, Gemm or norm before them.

They come from BatchNormalization, and from Mul, Div, Add and Sub of a constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cvm.inference.tensor_type import Array, TensorType
from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames

PRODUCTS = ("Conv", "ConvTranspose", "Gemm")
NORM = "BatchNormalization"
ARITHMETIC = ("Mul", "Div", "Add", "Sub")


@dataclass(frozen=True, slots=True)
class _Affine:
    """What a node does to the channels of `source`, in float64: y = x * factor + offset."""

    source: str
    factor: Array
    offset: Array


def fold_affine(draft: Draft, types: Mapping[str, TensorType]) -> list[str]:
    """Fold each one whose maker and its weights have no other reader, where all is constant.

    Weights and bias are worked out in float64 and rounded to float32 once. A result that is
    not finite leaves the node as it is.
    """
    makers, readers = draft.makers(), draft.readers()
    fresh = FreshNames(draft.names())
    folded: dict[str, int] = {}
    for node in list(draft.nodes):
        affine = _affine(draft, node, types)
        maker = None if affine is None else makers.get(affine.source)
        if affine is None or maker is None or readers[affine.source] != 1:
            continue
        is_shared = maker.is_default(*PRODUCTS) and readers[maker.inputs[1]] > 1
        if is_shared or not _fold(draft, maker, affine, fresh):
            continue
        maker.outputs[0] = node.outputs[0]
        makers[node.outputs[0]] = maker
        draft.nodes.remove(node)
        folded[node.op_type] = folded.get(node.op_type, 0) + 1
    listed = ", ".join(f"{count} {name}" for name, count in sorted(folded.items()))
    return [f"folded {listed} into the operator before"] if folded else []


def _affine(draft: Draft, node: DraftNode, types: Mapping[str, TensorType]) -> _Affine | None:
    if node.is_default(NORM):
        return _norm(draft, node)
    if node.is_default(*ARITHMETIC) and types.get(node.outputs[0]) is not None:
        return _arithmetic(draft, node, types)
    return None


def _norm(draft: Draft, node: DraftNode) -> _Affine | None:
    numbers = [draft.constants.get(name) for name in node.inputs[1:5]]
    if any(array is None for array in numbers) or len(node.outputs) > 1:
        return None
    scale, bias, mean, variance = (np.asarray(array, np.float64) for array in numbers)
    if not scale.shape == bias.shape == mean.shape == variance.shape:
        return None
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + np.float64(node.number("epsilon", 1e-5)))
        return _Affine(node.inputs[0], factor, bias - mean * factor)


def _arithmetic(draft: Draft, node: DraftNode, types: Mapping[str, TensorType]) -> _Affine | None:
    """Return the factor or the offset of a constant that has one number for each channel."""
    first, second = node.inputs
    is_swapped = first in draft.constants
    source, name = (second, first) if is_swapped else (first, second)
    constant, found = draft.constants.get(name), types.get(source)
    if constant is None or found is None or found.dtype != "float32" or found.rank < 2:
        return None
    shape = (1,) * (found.rank - constant.ndim) + constant.shape
    channels = found.shape[1]
    if (
        len(shape) != found.rank
        or constant.size not in (1, shape[1])
        or shape[1] not in (1, channels)
    ):
        return None
    values = np.broadcast_to(constant.reshape(-1).astype(np.float64), (channels,))
    ones, zeros = np.ones(channels), np.zeros(channels)
    with np.errstate(all="ignore"):
        match node.op_type:
            case "Mul":
                return _Affine(source, values, zeros)
            case "Div":
                return None if is_swapped else _Affine(source, 1 / values, zeros)
            case "Add":
                return _Affine(source, ones, values)
            case _:
                sign = -1 if is_swapped else 1
                return _Affine(source, ones * sign, values * -sign)


def _fold(draft: Draft, product: DraftNode, affine: _Affine, fresh: FreshNames) -> bool:
    if product.is_default(NORM):
        return _fold_into_norm(draft, product, affine, fresh)
    if not product.is_default(*PRODUCTS):
        return False
    weights = draft.constants.get(product.inputs[1])
    if weights is None or weights.ndim < 2 or (product.op_type == "Gemm" and weights.ndim > 2):
        return False
    bias = _bias(draft, product, affine.factor.size)
    factors = _per_weight(product, weights, affine.factor)
    if bias is None or factors is None:
        return False
    with np.errstate(all="ignore"):
        new_weights = (weights.astype(np.float64) * factors).astype(np.float32)
        new_bias = (bias * affine.factor + affine.offset).astype(np.float32)
    if not (np.isfinite(new_weights).all() and np.isfinite(new_bias).all()):
        return False
    output = product.outputs[0]
    names = [fresh.take(f"{output}_{part}") for part in ("weights", "bias")]
    draft.constants[names[0]], draft.constants[names[1]] = new_weights, new_bias
    product.inputs = [product.inputs[0], *names]
    product.attributes.pop("beta", None)
    return True


def _fold_into_norm(draft: Draft, norm: DraftNode, affine: _Affine, fresh: FreshNames) -> bool:
    """Multiply the scale of a BatchNormalization and move its bias."""
    scale, bias = (draft.constants.get(name) for name in norm.inputs[1:3])
    if scale is None or bias is None or len(norm.outputs) > 1:
        return False
    if not scale.shape == bias.shape == affine.factor.shape:
        return False
    with np.errstate(all="ignore"):
        new_scale = (scale.astype(np.float64) * affine.factor).astype(np.float32)
        new_bias = (bias.astype(np.float64) * affine.factor + affine.offset).astype(np.float32)
    if not (np.isfinite(new_scale).all() and np.isfinite(new_bias).all()):
        return False
    names = [fresh.take(f"{norm.outputs[0]}_{part}") for part in ("scale", "bias")]
    draft.constants[names[0]], draft.constants[names[1]] = new_scale, new_bias
    norm.inputs[1:3] = names
    return True


def _bias(draft: Draft, product: DraftNode, channels: int) -> Array | None:
    """Return the product's bias per channel in float64, zeros where there is none."""
    name = product.input_at(2)
    if not name:
        return np.zeros(channels)
    bias = draft.constants.get(name)
    if bias is None or bias.size not in (1, channels) or bias.shape[-1:] not in ((), (bias.size,)):
        return None
    beta = np.float64(product.number("beta", 1.0)) if product.op_type == "Gemm" else 1.0
    return np.asarray(np.broadcast_to(bias.reshape(-1).astype(np.float64) * beta, (channels,)))


def _per_weight(product: DraftNode, weights: Array, factor: Array) -> Array | None:
    """Return the factors in a shape that multiplies the weights channel by channel."""
    if product.op_type == "Gemm":
        axis = 0 if product.integer("transB", 0) else 1
        fits = weights.shape[axis] == factor.size
        return factor.reshape((-1, 1) if axis == 0 else (1, -1)) if fits else None
    ones = (1,) * (weights.ndim - 2)
    if product.op_type == "Conv":
        return factor.reshape(-1, 1, *ones) if weights.shape[0] == factor.size else None
    groups = product.integer("group", 1)
    if weights.shape[1] * groups != factor.size or weights.shape[0] % groups:
        return None
    rows = np.repeat(factor.reshape(groups, -1), weights.shape[0] // groups, axis=0)
    return rows.reshape(*weights.shape[:2], *ones)
