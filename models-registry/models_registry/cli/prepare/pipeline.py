"""The steps of `prepare` in their order, from the bytes of an ordinary file to the strict form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cvm.inference.operators.table import OPERATORS
from models_registry.cli.prepare.batch_norm import fold_batch_norms
from models_registry.cli.prepare.bypass import bypass
from models_registry.cli.prepare.constant_nodes import take_constant_nodes
from models_registry.cli.prepare.draft import Draft
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.fold import fold, raise_what_keeps_it
from models_registry.cli.prepare.input_shapes import Shapes, fix_input_shapes
from models_registry.cli.prepare.names import drop_unused, repair_names, sort_nodes
from models_registry.cli.prepare.onnx_file import inline_operators, parse_onnx
from models_registry.cli.prepare.opset import convert_opset
from models_registry.cli.prepare.precision import bring_to_float32
from models_registry.cli.prepare.read_onnx import draft_of
from models_registry.cli.prepare.write_onnx import OPSET, encode_model, model_of


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for beside the strict form; `folder` holds the file's external data."""

    shapes: Shapes = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """The strict form, and what each step did to get there."""

    data: bytes
    notes: tuple[str, ...]


def prepare_model(data: bytes, options: Options) -> PreparedModel:
    """Return the strict form of an ONNX file (opset 7 or newer).

    Raises `CannotPrepare`. Whether the result keeps every rule is for the strict check to say.
    """
    draft = draft_of(parse_onnx(data, options.folder))
    notes = _to_engine_forms(draft, options)
    notes += _simplify(draft)
    folded = fold(draft)
    raise_what_keeps_it(draft, folded)
    drop_unused(draft)
    return PreparedModel(encode_model(draft, folded.types), tuple(notes))


def _to_engine_forms(draft: Draft, options: Options) -> list[str]:
    """Write every node in a form that the engine may know."""
    steps: tuple[Callable[[Draft], list[str]], ...] = (
        repair_names,
        take_constant_nodes,
        sort_nodes,
        drop_unused,
        lambda given: fix_input_shapes(given, options.shapes),
        convert_opset,
        expand_functions,
        take_constant_nodes,
        bring_to_float32,
    )
    return [note for step in steps for note in step(draft)]


def _simplify(draft: Draft) -> list[str]:
    """Remove what need not be computed."""
    notes = bypass(draft, {})
    folded = fold(draft)
    notes += folded.notes
    notes += bypass(draft, folded.types)
    notes += drop_unused(draft)
    notes += fold_batch_norms(draft)
    notes += drop_unused(draft)
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
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CannotPrepare(f"an operator's function cannot be inlined: {reason}") from error
    inlined = draft_of(model)
    after = {node.op_type for node in inlined.nodes}
    replaced = sorted(lacking - after)
    if not replaced:
        return []
    draft.nodes, draft.constants = inlined.nodes, inlined.constants
    return [f"replaced {', '.join(replaced)} by ONNX's definition"]
