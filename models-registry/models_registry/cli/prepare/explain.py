"""`--explain`: adds outputs that say why a tree ensemble or a linear model answers as it does."""

from collections.abc import Sequence

from models_registry.cli.prepare.draft import Draft, FreshNames
from models_registry.cli.prepare.explain_linear import explain_linear
from models_registry.cli.prepare.explain_trees import explain_trees
from models_registry.cli.prepare.explained_node import explained_node
from models_registry.cli.prepare.explanation import Explanation, Wanted
from models_registry.cli.prepare.fold import fold, raise_what_keeps_it


def add_explanations(draft: Draft, wanted: Sequence[Wanted]) -> tuple[Explanation, ...]:
    """Append an output for each `--explain` behind the model's own; the adapters stand already.

    Raises `CannotPrepare` for a model of another form.
    """
    if not wanted:
        return ()
    folded = fold(draft)
    raise_what_keeps_it(draft, folded)
    found, fresh = explained_node(draft, folded.types), FreshNames(draft.names())
    add = explain_trees if found.is_trees else explain_linear
    return tuple(add(found, one, fresh) for one in wanted)
