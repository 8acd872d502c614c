"""Finds the tree ensemble or linear model of a graph, and says which graphs can be explained."""

from dataclasses import dataclass
from typing import Any

from cvm.inference.graph import NodeView
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import TensorType
from models_registry.cli.prepare.draft import Draft, DraftNode
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.fold import engine_attributes

TREES = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor"})
LINEAR = frozenset({"Gemm", "LinearClassifier", "LinearRegressor", "MatMul", "MatMulInteger"})

AROUND = frozenset(
    {"Add", "And", "ArgMax", "ArgMin", "ArrayFeatureExtractor", "Binarizer", "Cast", "CastLike",
     "Clip", "Concat", "DequantizeLinear", "Div", "Equal", "Exp", "Expand", "FeatureVectorizer",
     "Flatten", "Gather", "GatherElements", "Greater", "GreaterOrEqual", "Identity", "Imputer",
     "LabelEncoder", "Less", "LessOrEqual", "Log", "LogSoftmax", "Mul", "Neg", "Normalizer", "Not",
     "OneHot", "OneHotEncoder", "Or", "QuantizeLinear", "ReduceSum", "Relu", "Reshape", "Round",
     "Scaler", "Sigmoid", "Slice", "Softmax", "Split", "Squeeze", "Sub", "Tanh", "TopK",
     "Transpose", "Unsqueeze", "Where"}
)  # fmt: skip
"""What may stand before the model, to make its features, and behind it, to read its scores."""

EXPLAINABLE = (
    "--explain takes one tree ensemble (TreeEnsembleClassifier or -Regressor) or one linear model "
    "(LinearClassifier, LinearRegressor, Gemm, MatMul or MatMulInteger with constant weights), "
    "with nothing around it but what makes its features and reads its scores"
)

SAME_ORDER = ("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
"""Operators that hand on the elements of their first input in its order."""

COLUMN_BY_COLUMN = frozenset({*SAME_ORDER, "Cast", "DequantizeLinear", "Imputer", "Scaler"})


@dataclass(frozen=True, slots=True)
class ExplainedNode:
    """The model: its node, the value that holds its features, and their number.

    `parameters` are the operator's own, for one of ai.onnx.ml.
    """

    draft: Draft
    types: dict[str, TensorType]
    node: DraftNode
    source: str
    rows: int
    features: int
    parameters: Any = None

    @property
    def is_trees(self) -> bool:
        """Return whether this is a tree ensemble."""
        return self.node.op_type in TREES


def explained_node(draft: Draft, types: dict[str, TensorType]) -> ExplainedNode:
    """Return the one model of a graph whose rules hold; raises `CannotPrepare`."""
    models = [node for node in draft.nodes if node.op_type in TREES | LINEAR]
    others = {node.op_type for node in draft.nodes} - TREES - LINEAR - AROUND
    if others:
        raise CannotPrepare(f"{EXPLAINABLE}; this one has {', '.join(sorted(others))}")
    if len(models) != 1:
        listed = ", ".join(node.label() for node in models[:4]) or "none"
        raise CannotPrepare(f"{EXPLAINABLE}; this one has {len(models)} of them: {listed}")
    (node,) = models
    source = node.inputs[0]
    shape = types[source].shape
    if source in draft.constants or not 1 <= len(shape) <= 2:
        raise CannotPrepare(
            f"{EXPLAINABLE}; {node.label()} reads {source!r} of {types[source]}, which is not "
            "(rows, features)"
        )
    rows = shape[0] if len(shape) == 2 else 1
    return ExplainedNode(
        draft, types, node, source, rows, shape[-1], _parameters(draft, types, node)
    )


def _parameters(draft: Draft, types: dict[str, TensorType], node: DraftNode) -> Any:
    """Return the checked parameters of a model of ai.onnx.ml, None for a product."""
    if not node.domain:
        return None
    view = NodeView(
        op_type=node.op_type,
        name=node.name or node.outputs[0],
        attributes=engine_attributes(node),
        types=tuple(types[name] for name in node.inputs),
        constants=tuple(draft.constants.get(name) for name in node.inputs),
        wanted=tuple(map(bool, node.outputs)),
    )
    return OPERATORS[(node.domain, node.op_type)].parse(view)


def feature_names(found: ExplainedNode) -> tuple[str, ...]:
    """Return what the columns are called: by the inputs that were joined to them, if they were."""
    makers = found.draft.makers()
    source = _behind(makers, found.source)
    maker = makers.get(source)
    parts = [source]
    if maker is not None and maker.op_type in ("Concat", "FeatureVectorizer"):
        parts = maker.inputs
    names: list[str] = []
    for part in parts:
        known = found.types.get(part)
        width = found.features if len(parts) == 1 else known.shape[-1] if known else 0
        name = _behind(makers, part)
        names += [name] if width == 1 else [f"{name}[{place}]" for place in range(width)]
    if len(names) != found.features:
        return tuple(f"{found.source}[{place}]" for place in range(found.features))
    return tuple(names)


def _behind(makers: dict[str, DraftNode], name: str) -> str:
    """Return the value that is handed on column by column under some name."""
    while (maker := makers.get(name)) is not None and maker.op_type in COLUMN_BY_COLUMN:
        name = maker.inputs[0]
    return name
