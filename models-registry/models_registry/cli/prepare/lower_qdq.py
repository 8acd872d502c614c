"""Lowers QuantizeLinear/DequantizeLinear pairs to QLinearConv, QLinearMatMul and plain integers.

A product between a DequantizeLinear and a QuantizeLinear becomes one integer operator; an
operator that only moves elements, between pairs of one scale, works on the integers. What is
left (sums of residuals, averages) stays as it is written.
"""

from collections.abc import Mapping

from cvm.inference.tensor_type import TensorType
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import Draft, DraftNode
from models_registry.cli.prepare.lower_products import lower_product
from models_registry.cli.prepare.quantised_values import QuantisedGraph, same_scale

MOVERS = (
    "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "MaxPool", "Slice", "Concat",
    "Split", "DepthToSpace", "SpaceToDepth", "Gather", "Expand", "Tile",
)  # fmt: skip
"""Operators that give elements of their first input (Concat: of all inputs) as they are."""


def lower_qdq(draft: Draft, types: Mapping[str, TensorType]) -> list[str]:
    """Lower what can be, in place; raises `CannotPrepare` for scales that cannot be kept."""
    graph = QuantisedGraph(draft, types)
    products = movers = 0
    for node in list(draft.nodes):
        if node.is_default("Conv", "Gemm", "MatMul"):
            products += lower_product(graph, node)
    for node in list(draft.nodes):
        if node.is_default(*MOVERS):
            movers += _lower_mover(graph, node)
    notes = [f"lowered {counted(products, 'product')} to integers"] if products else []
    notes += [f"let {counted(movers, 'node')} work on integers"] if movers else []
    return notes + drop_pairs(draft, graph.types)


def _lower_mover(graph: QuantisedGraph, node: DraftNode) -> bool:
    """Let a node take and give integers where all its scales are one."""
    count = len(node.inputs) if node.op_type == "Concat" else 1
    given = [graph.quantised(name) for name in node.inputs[:count]]
    wanted = [graph.only_quantiser(name) for name in node.outputs]
    scales = [value for value in given if value is not None]
    makers = [maker for maker in wanted if maker is not None]
    if len(scales) != len(given) or len(makers) != len(wanted):
        return False
    outputs = [graph.parameters(maker) for maker in makers]
    if not all(same_scale(scales[0], other) for other in [*scales, *outputs]):
        return False
    node.inputs[:count] = [value.name for value in scales]
    node.outputs = [maker.outputs[0] for maker in makers]
    for maker in makers:
        graph.remove(maker)
    graph.changed()
    return True


def drop_pairs(draft: Draft, types: Mapping[str, TensorType]) -> list[str]:
    """Remove each QuantizeLinear of a DequantizeLinear with the same scale and zero point."""
    graph = QuantisedGraph(draft, types)
    count = 0
    for node in list(draft.nodes):
        if not node.is_default("QuantizeLinear") or node.outputs[0] in draft.outputs:
            continue
        source = graph.quantised(node.inputs[0])
        if source is not None and same_scale(source, graph.parameters(node)):
            draft.rename_reads({node.outputs[0]: source.name})
            graph.remove(node)
            graph.changed()
            count += 1
    return [f"removed {counted(count, 'conversion')} to float32 and back"] if count else []
