"""Lowers Conv, Gemm and MatMul of dequantised values to integer products."""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from cvm.inference.operators.quantisation import LIMITS
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.draft import DraftNode
from models_registry.cli.prepare.quantised_values import Quantised, QuantisedGraph

LARGEST_BIAS = 2**30
"""Bound on an integer bias; with it the sums of a channel stay below 2^31 (see `_with_floor`)."""

LARGEST_SUM = 2**31 - 1
SMALLEST_PRODUCT = 2.0**-100
"""Least product of input and weight scale; it and its quotients stay normal float32."""

ENDS = ("Relu", "Clip")


@dataclass(slots=True)
class _Product:
    """A product on integers: x (name, scale), weights (channels first or (k, n)), bias, result.

    `weight_scale` and `bias` have one element per output channel, `bias` may be None.
    """

    node: DraftNode
    x: Quantised
    w: Quantised
    weights: Array
    weight_scale: Array
    bias: Array | None
    channel_axis: int


def lower_product(graph: QuantisedGraph, node: DraftNode) -> bool:
    """Replace one product if its operands are quantised; return whether it was."""
    x = graph.quantised(node.inputs[0])
    w = graph.quantised(node.inputs[1])
    if x is None or w is None or x.scale.size != 1:
        return False
    if w.name not in graph.draft.constants:
        return _lower_dynamic(graph, node, x, w)
    product = _product(graph, node, x, w)
    if product is None or not _with_floor(product):
        return False
    heads = _float_readers(graph, node.outputs[0])
    if heads is not None:
        return _lower_to_float(graph, product, heads)
    quantiser, between = _quantiser_behind(graph, node)
    if quantiser is None:
        return False
    _lower_to_integers(graph, product, quantiser, between)
    return True


def _product(graph: QuantisedGraph, node: DraftNode, x: Quantised, w: Quantised) -> _Product | None:
    """Return the product with its weights as Conv and MatMul take them, or None if it has none."""
    weights = graph.draft.constants[w.name]
    axis = w.axis % weights.ndim
    if node.op_type == "Gemm":
        plain = node.number("alpha", 1.0) == 1 and not node.integer("transA", 0)
        if not plain or (node.input_at(2) and node.number("beta", 1.0) != 1):
            return None
        if node.integer("transB", 0):
            weights, axis = weights.T, 1 - axis
    channel_axis = 0 if node.op_type == "Conv" else weights.ndim - 1
    channels = weights.shape[channel_axis]
    if w.scale.size not in (1, channels) or (w.scale.size > 1 and axis != channel_axis):
        return None
    if w.zero.any() and w.scale.size > 1:
        return None
    scale = np.broadcast_to(w.scale.astype(np.float64), (channels,)).copy()
    bias = _real_bias(graph, node.input_at(2), channels)
    if node.input_at(2) and bias is None:
        return None
    return _Product(node, x, w, weights, scale, bias, channel_axis)


def _real_bias(graph: QuantisedGraph, name: str, channels: int) -> Array | None:
    """Return a constant bias in float64, dequantised if it stands as integers."""
    if not name:
        return None
    value = graph.draft.constants.get(name)
    if value is None:
        maker = next((n for n in graph.draft.nodes if name in n.outputs), None)
        if maker is None or not maker.is_default("DequantizeLinear"):
            return None
        stored = graph.draft.constants.get(maker.inputs[0])
        if stored is None:
            return None
        scale = graph.draft.constants[maker.inputs[1]].astype(np.float64)
        value = stored.astype(np.float64) * scale
    flat = value.astype(np.float64).reshape(-1)
    return np.broadcast_to(flat, (channels,)).copy() if flat.size in (1, channels) else None


def _with_floor(product: _Product) -> bool:
    """Raise scales of channels until bias and sums fit an int32; weights are rounded again.

    A channel of tiny weights has a tiny scale, and its bias in that unit may be huge. Its scale
    becomes at least |bias| / (x_scale * 2^30), its weights shrink accordingly.
    """
    x_scale = float(product.x.scale[0])
    floor = np.full(product.weight_scale.size, SMALLEST_PRODUCT / x_scale)
    if product.bias is not None:
        floor = np.maximum(floor, np.abs(product.bias) / (x_scale * LARGEST_BIAS))
    floor = np.nextafter(floor.astype(np.float32), np.float32(np.inf))  # not rounded below
    new_scale = np.maximum(product.weight_scale, floor.astype(np.float64))
    raised = new_scale > product.weight_scale
    if raised.any():
        if product.w.zero.any():
            return False
        shape = [1] * product.weights.ndim
        shape[product.channel_axis] = -1
        ratio = np.where(raised, product.weight_scale / new_scale, 1.0).reshape(shape)
        product.weights = np.rint(product.weights * ratio).astype(product.weights.dtype)
        product.weight_scale = np.where(raised, new_scale, product.weight_scale)
    return _fits(product)


def _fits(product: _Product) -> bool:
    """Return whether every sum fits an int32: sum|w - zw| * max|x - zx| + |bias| < 2^31."""
    low, high = LIMITS[product.x.dtype]
    x_zero = int(product.x.zero[0])
    largest = max(high - x_zero, x_zero - low)
    centred = np.abs(product.weights.astype(np.int64) - int(product.w.zero[0]))
    axes = tuple(axis for axis in range(centred.ndim) if axis != product.channel_axis)
    totals = centred.sum(axis=axes) * largest
    if product.bias is not None:
        totals = totals + np.abs(_integer_bias(product)).astype(np.int64)
    return bool((totals <= LARGEST_SUM).all())


def _integer_bias(product: _Product) -> Array:
    """Return the bias in the unit of the sums."""
    bias = np.zeros(1) if product.bias is None else product.bias
    unit = float(product.x.scale[0]) * product.weight_scale
    return np.clip(np.rint(bias / unit), -LARGEST_SUM, LARGEST_SUM).astype(np.int32)


def _quantiser_behind(
    graph: QuantisedGraph, node: DraftNode
) -> tuple[DraftNode | None, list[DraftNode]]:
    """Return the QuantizeLinear of a result, and the Relu or Clip that its saturation does."""
    reader = graph.only_reader(node.outputs[0])
    if reader is not None and reader.is_default(*ENDS):
        quantiser = graph.only_quantiser(reader.outputs[0])
        if quantiser is not None and _saturation_does(graph, reader, graph.parameters(quantiser)):
            return quantiser, [reader]
        return None, []
    return graph.only_quantiser(node.outputs[0]), []


def _saturation_does(graph: QuantisedGraph, node: DraftNode, to: Quantised) -> bool:
    """Return whether saturating to 8 bits does all that a Relu or Clip would."""
    low, high = LIMITS[to.dtype]
    zero, scale = int(to.zero[0]), float(to.scale[0])
    least, most = 0.0, np.inf
    if node.op_type == "Clip":
        bounds = [graph.draft.constants.get(node.input_at(i)) for i in (1, 2)]
        if any(node.input_at(i + 1) and bound is None for i, bound in enumerate(bounds)):
            return False
        least = -np.inf if bounds[0] is None else float(bounds[0].reshape(()))
        most = np.inf if bounds[1] is None else float(bounds[1].reshape(()))
    return bool(np.rint(least / scale) <= low - zero and np.rint(most / scale) >= high - zero)


def _float_readers(graph: QuantisedGraph, name: str) -> list[DraftNode] | None:
    """Return the DequantizeLinear nodes through which only graph outputs read a product."""
    quantiser = graph.only_quantiser(name)
    if quantiser is None or quantiser.outputs[0] in graph.draft.outputs:
        return None
    readers = graph.readers(quantiser.outputs[0])
    if not readers or not all(reader.is_default("DequantizeLinear") for reader in readers):
        return None
    ends = all(_only_feeds_the_end(graph, reader.outputs[0]) for reader in readers)
    return [quantiser, *readers] if ends else None


def _only_feeds_the_end(graph: QuantisedGraph, name: str) -> bool:
    """Return whether a value is an output, or read by the last softmax alone."""
    readers = graph.readers(name)
    return all(
        reader.is_default("Softmax", "LogSoftmax", "Sigmoid", "ArgMax")
        and reader.outputs[0] in graph.draft.outputs
        for reader in readers
    ) and (bool(readers) or name in graph.draft.outputs)


def _lower_to_integers(
    graph: QuantisedGraph, product: _Product, quantiser: DraftNode, between: list[DraftNode]
) -> None:
    """Write a product and the requantisation of its result as one operator."""
    node, y = product.node, graph.parameters(quantiser)
    for removed in [quantiser, *between]:
        graph.remove(removed)
    if node.op_type == "Conv" or product.bias is not None:
        graph.replace(node, _qlinear_conv(graph, product, quantiser, y))
        return
    inputs = [*_operands(graph, product), *_scale_and_zero(graph, quantiser, y)]
    made = DraftNode("QLinearMatMul", inputs, [quantiser.outputs[0]], {}, node.name)
    graph.replace(node, [made])


def _qlinear_conv(
    graph: QuantisedGraph, product: _Product, quantiser: DraftNode, y: Quantised
) -> list[DraftNode]:
    """Return QLinearConv; a Gemm becomes one over 1 x 1 pixels, whose bias joins the sum."""
    node, output = product.node, quantiser.outputs[0]
    if node.op_type == "Conv":
        return [_conv_node(graph, product, quantiser, y, product.x.name, output)]
    rows, columns = graph.types[product.x.name].shape[0], product.weights.shape[1]
    pixel_x, pixel_y = (graph.fresh.take(f"{output}_{part}") for part in ("pixel_x", "pixel_y"))
    shape_x = np.array([rows, product.weights.shape[0], 1, 1], np.int64)
    shape_y = np.array([rows, columns], np.int64)
    product.weights = product.weights.T.reshape(columns, -1, 1, 1)
    return [
        DraftNode(
            "Reshape", [product.x.name, graph.constant(f"{pixel_x}_shape", shape_x)], [pixel_x]
        ),
        _conv_node(graph, product, quantiser, y, pixel_x, pixel_y),
        DraftNode("Reshape", [pixel_y, graph.constant(f"{output}_shape", shape_y)], [output]),
    ]


def _conv_node(
    graph: QuantisedGraph,
    product: _Product,
    quantiser: DraftNode,
    y: Quantised,
    x_name: str,
    output: str,
) -> DraftNode:
    operands = _operands(graph, product)
    inputs = [x_name, *operands[1:], *_scale_and_zero(graph, quantiser, y)]
    if product.bias is not None:
        inputs.append(graph.constant(f"{output}_bias", _integer_bias(product)))
    attributes = product.node.attributes if product.node.op_type == "Conv" else {}
    return DraftNode("QLinearConv", inputs, [output], dict(attributes), product.node.name)


def _operands(graph: QuantisedGraph, product: _Product) -> list[str]:
    """Return x, its scale and zero point, the weights, their scales and zero point."""
    output = product.node.outputs[0]
    zero = product.w.zero[:1].reshape(())
    return [
        product.x.name,
        graph.constant(f"{output}_x_scale", product.x.scale.reshape(())),
        graph.constant(f"{output}_x_zero", product.x.zero.reshape(())),
        graph.constant(f"{output}_w", np.ascontiguousarray(product.weights)),
        graph.constant(f"{output}_w_scale", product.weight_scale.astype(np.float32)),
        graph.constant(f"{output}_w_zero", zero),
    ]


def _scale_and_zero(graph: QuantisedGraph, node: DraftNode, y: Quantised) -> list[str]:
    return [
        graph.constant(f"{node.outputs[0]}_scale", y.scale.reshape(())),
        graph.constant(f"{node.outputs[0]}_zero", y.zero.reshape(())),
    ]


def _lower_dynamic(graph: QuantisedGraph, node: DraftNode, x: Quantised, w: Quantised) -> bool:
    """Write a MatMul of two activations as QLinearMatMul."""
    quantiser = graph.only_quantiser(node.outputs[0])
    if quantiser is None or node.op_type != "MatMul" or w.scale.size != 1:
        return False
    y = graph.parameters(quantiser)
    graph.remove(quantiser)
    inputs = [
        name
        for value, part in ((x, "a"), (w, "b"))
        for name in (
            value.name,
            graph.constant(f"{node.outputs[0]}_{part}_scale", value.scale.reshape(())),
            graph.constant(f"{node.outputs[0]}_{part}_zero", value.zero.reshape(())),
        )
    ]
    inputs += _scale_and_zero(graph, quantiser, y)
    made = DraftNode("QLinearMatMul", inputs, [quantiser.outputs[0]], {}, node.name)
    graph.replace(node, [made])
    return True


def _lower_to_float(graph: QuantisedGraph, product: _Product, heads: list[DraftNode]) -> bool:
    """Write a last product as exact sums times their unit: scores keep more than 8 bits."""
    node, (quantiser, *readers) = product.node, heads
    is_conv = node.op_type == "Conv"
    output = readers[0].outputs[0]
    x, _, x_zero, w, _, w_zero = _operands(graph, product)
    total, real = (graph.fresh.take(f"{output}_{part}") for part in ("sum", "real"))
    unit = (product.x.scale[0] * product.weight_scale.astype(np.float32)).astype(np.float32)
    shape = (-1, *(1,) * (product.weights.ndim - 2)) if is_conv else (-1,)
    op_type = "ConvInteger" if is_conv else "MatMulInteger"
    attributes = dict(node.attributes) if is_conv else {}
    made = [DraftNode(op_type, [x, w, x_zero, w_zero], [total], attributes, node.name)]
    if product.bias is not None:
        biased = graph.fresh.take(f"{output}_biased")
        bias = graph.constant(f"{output}_bias", _integer_bias(product).reshape(shape))
        made.append(DraftNode("Add", [total, bias], [biased]))
        total = biased
    made.append(DraftNode("Cast", [total], [real], {"to": int(TensorProto.FLOAT)}))
    factor = graph.constant(f"{output}_unit", unit.reshape(shape))
    made.append(DraftNode("Mul", [real, factor], [output]))
    for removed in [quantiser, *readers]:
        graph.remove(removed)
    made += [DraftNode("Identity", [output], [reader.outputs[0]]) for reader in readers[1:]]
    graph.replace(node, made)
    return True
