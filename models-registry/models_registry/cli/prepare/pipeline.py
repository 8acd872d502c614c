"""The steps of `prepare` in their order, from the bytes of an ordinary file to the strict form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cvm.inference.model_checks import OPSET
from cvm.inference.operators.table import OPERATORS
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.adapters import (
    InputAdapter,
    OutputAdapter,
    add_input_adapters,
    add_output_adapters,
    check_input_adapters,
)
from models_registry.cli.prepare.affine import fold_affine
from models_registry.cli.prepare.bypass import bypass
from models_registry.cli.prepare.constant_nodes import take_constant_nodes
from models_registry.cli.prepare.counted import counted
from models_registry.cli.prepare.draft import Draft, DraftInput
from models_registry.cli.prepare.explain import add_explanations
from models_registry.cli.prepare.explanation import Explanation, Wanted
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.fold import fold, raise_what_keeps_it
from models_registry.cli.prepare.input_shapes import Shapes, fix_input_shapes
from models_registry.cli.prepare.items import both_sides, check_finite, items_of
from models_registry.cli.prepare.lower_qdq import drop_pairs, lower_qdq
from models_registry.cli.prepare.names import drop_unused, make_outputs, repair_names, sort_nodes
from models_registry.cli.prepare.onnx_file import INLINER_FAULTS, inline_operators, parse_onnx
from models_registry.cli.prepare.opset import check_signatures, convert_opset
from models_registry.cli.prepare.plain_forms import bring_to_plain_forms
from models_registry.cli.prepare.precision import bring_to_float32
from models_registry.cli.prepare.quantise import quantised
from models_registry.cli.prepare.read_onnx import draft_of
from models_registry.cli.prepare.write_onnx import encode_model, model_of


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for beside the strict form.

    `folder` holds the file's external data, `calibration` typical inputs by name for the
    quantiser (None: the model stays float32), the adapters stand by input and output name,
    `explain` lists the outputs to add that explain the answer.
    """

    shapes: Shapes = field(default_factory=dict)
    folder: Path | None = None
    calibration: Mapping[str, Array] | None = None
    inputs: Mapping[str, InputAdapter] = field(default_factory=dict)
    outputs: Mapping[str, OutputAdapter] = field(default_factory=dict)
    explain: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """The strict form, what each step did to get there, and the inputs before the adapters.

    `float_form` is what was quantised, in the strict form and without adapters; `explanations`
    are the outputs that `--explain` added.
    """

    data: bytes
    notes: tuple[str, ...]
    real_inputs: tuple[DraftInput, ...]
    float_form: bytes | None = None
    explanations: tuple[Explanation, ...] = ()


def prepare_model(data: bytes, options: Options) -> PreparedModel:
    """Return the strict form of an ONNX file (opset 7 or newer).

    Raises `CannotPrepare`. Whether the result keeps every rule is for the strict check to say.
    """
    draft = draft_of(parse_onnx(data, options.folder))
    notes = _to_engine_forms(draft, options)
    notes += _simplify(draft)
    check_input_adapters(draft, options.inputs)
    float_form = None
    if options.calibration is not None:
        float_form = _float_form(draft)
        notes += _quantise(draft, options.calibration, options.inputs)
    real_inputs = tuple(DraftInput(v.name, v.dtype, v.dims) for v in draft.inputs)
    notes += _adapt(draft, options)
    explanations = add_explanations(draft, options.explain)
    folded = fold(draft)
    raise_what_keeps_it(draft, folded)
    notes += make_outputs(draft, folded.types)
    drop_unused(draft)
    data_made = encode_model(draft, folded.types)
    return PreparedModel(data_made, tuple(notes), real_inputs, float_form, explanations)


def _to_engine_forms(draft: Draft, options: Options) -> list[str]:
    """Write every node in a form that the engine may know."""
    steps: tuple[Callable[[Draft], list[str]], ...] = (
        check_signatures,
        repair_names,
        take_constant_nodes,
        sort_nodes,
        drop_unused,
        lambda given: fix_input_shapes(given, options.shapes),
        convert_opset,
        expand_functions,
        take_constant_nodes,
        bring_to_plain_forms,
        bring_to_float32,
    )
    return [note for step in steps for note in step(draft)]


def _simplify(draft: Draft) -> list[str]:
    """Remove what need not be computed."""
    notes = bypass(draft, {})
    notes += _lower(draft)
    folded = fold(draft)
    notes += folded.notes
    notes += bypass(draft, folded.types)
    notes += drop_unused(draft)
    notes += fold_affine(draft, folded.types)
    notes += drop_unused(draft)
    return notes


def _lower(draft: Draft) -> list[str]:
    """Bring a quantised graph to integer operators."""
    if not any(node.is_default("DequantizeLinear") for node in draft.nodes):
        return []
    folded = fold(draft, keeps_quantised=True)
    if folded.unknown or folded.refusals:
        return folded.notes
    notes = folded.notes + lower_qdq(draft, folded.types)
    drop_unused(draft)
    return notes


def _float_form(draft: Draft) -> bytes:
    """Return the file that a draft would become without being quantised."""
    folded = fold(draft)
    raise_what_keeps_it(draft, folded)
    make_outputs(draft, folded.types)
    return encode_model(draft, folded.types)


def _quantise(
    draft: Draft, calibration: Mapping[str, Array], adapters: Mapping[str, InputAdapter]
) -> list[str]:
    """Replace a float32 draft by its 8-bit form."""
    folded = fold(draft)
    raise_what_keeps_it(draft, folded)
    what = "the calibration file"
    _, items = both_sides(items_of(calibration, draft.inputs, what), draft.inputs, adapters)
    check_finite(items, what)
    made = draft_of(quantised(model_of(draft, folded.types), items))
    draft.nodes, draft.constants, draft.inputs = made.nodes, made.constants, made.inputs
    take_constant_nodes(draft)
    sort_nodes(draft)
    return [f"quantised on {counted(len(items), 'item')}", *_lower(draft)]


def _adapt(draft: Draft, options: Options) -> list[str]:
    """Put integers in front of and behind the graph."""
    notes = add_input_adapters(draft, options.inputs)
    if options.outputs:
        folded = fold(draft)
        raise_what_keeps_it(draft, folded)
        notes += add_output_adapters(draft, options.outputs, folded.types)
    if options.inputs:
        types = fold(draft).types
        notes += drop_pairs(draft, types)
        bypass(draft, types)
    return notes


def expand_functions(draft: Draft) -> list[str]:
    """Replace operators that the engine lacks by ONNX's own function for them, where it has one."""
    before = {node.op_type for node in draft.nodes if not node.domain}
    lacking = {name for name in before if ("", name) not in OPERATORS}
    if not lacking:
        return []
    try:
        model = inline_operators(
            model_of(draft, {}), OPSET, lambda name: ("", name) not in OPERATORS
        )
    except INLINER_FAULTS as error:
        reason = " ".join(str(error).split())
        raise CannotPrepare(f"an operator's function cannot be inlined: {reason}") from error
    inlined = draft_of(model)
    after = {node.op_type for node in inlined.nodes}
    replaced = sorted(lacking - after)
    if not replaced:
        return []
    draft.nodes, draft.constants = inlined.nodes, inlined.constants
    return [f"replaced {', '.join(replaced)} by ONNX's definition"]
