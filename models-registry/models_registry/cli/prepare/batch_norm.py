"""Folds a BatchNormalization into the Conv, ConvTranspose or Gemm before it."""

from dataclasses import dataclass

import numpy as np

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import Draft, DraftNode, FreshNames

PRODUCTS = ("Conv", "ConvTranspose", "Gemm")


@dataclass(frozen=True, slots=True)
class _Affine:
    """What a BatchNormalization does to each channel, in float64: y = x * factor + offset."""

    factor: Array
    offset: Array


def fold_batch_norms(draft: Draft) -> list[str]:
    """Fold each one whose product has no other reader and whose numbers are all constants.

    Weights and bias are worked out in float64 and rounded to float32 once. A result that is
    not finite leaves the node as it is.
    """
    makers, readers = draft.makers(), draft.readers()
    fresh = FreshNames(draft.names())
    folded = 0
    for node in list(draft.nodes):
        if not node.is_default("BatchNormalization"):
            continue
        product = makers.get(node.inputs[0])
        if product is None or not product.is_default(*PRODUCTS):
            continue
        if readers[node.inputs[0]] != 1 or readers[product.inputs[1]] != 1:
            continue
        affine = _affine(draft, node)
        if affine is None or not _fold(draft, product, affine, fresh):
            continue
        product.outputs[0] = node.outputs[0]
        makers[node.outputs[0]] = product
        draft.nodes.remove(node)
        folded += 1
    return [f"folded {folded} BatchNormalization into the product before"] if folded else []


def _affine(draft: Draft, node: DraftNode) -> _Affine | None:
    numbers = [draft.constants.get(name) for name in node.inputs[1:5]]
    if any(array is None for array in numbers) or len(node.outputs) > 1:
        return None
    scale, bias, mean, variance = (np.asarray(array, np.float64) for array in numbers)
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + np.float64(node.number("epsilon", 1e-5)))
        return _Affine(factor, bias - mean * factor)


def _fold(draft: Draft, product: DraftNode, affine: _Affine, fresh: FreshNames) -> bool:
    weights = draft.constants.get(product.inputs[1])
    if weights is None:
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
