"""`--explain` of tree ensembles: leaves, paths and contributions, against a walk of their own."""

from fractions import Fraction

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array
from models_registry.cli.prepare import (
    CannotPrepare,
    Options,
    PreparedModel,
    parse_explain,
    parse_input_adapter,
    parse_output_adapter,
)
from tests.unit.models_registry.explained_trees import (
    TAKES_TRUE,
    Branch,
    Ensemble,
    Leaf,
    Tree,
    ensemble_model,
    node_id,
    path_of,
)
from tests.unit.models_registry.prepared import prepare, run_prepared

NAN = float("nan")

SMALL: Tree = Branch(
    0,
    0.5,
    true=Branch(1, -1.0, true=Leaf({0: 4.0}), false=Leaf({0: 8.0}), missing=True),
    false=Leaf({0: 2.0}),
)
"""Node ids: 10 (feature 0), 13 (feature 1), 16 (4), 19 (8), 22 (2)."""

MODES = Ensemble(
    {
        9: SMALL,
        2: Branch(2, 1.0, Leaf({1: 1.5}), Leaf({0: -1.0, 1: 0.25}), "BRANCH_GT"),
        5: Leaf({0: 0.125}),
        7: Branch(
            1,
            -1.0,
            Branch(1, -3.0, Leaf({0: 1.0}), Leaf({1: 7.0}), "BRANCH_EQ", missing=True),
            Branch(2, 1.0, Leaf({0: 0.75}), Leaf({0: 3.5}), "BRANCH_NEQ"),
            "BRANCH_LT",
            missing=True,
        ),
        8: Branch(0, 0.5, Leaf({1: -2.0}), Leaf({1: -4.0}), "BRANCH_GTE"),
    },
    features=3,
    scores=2,
)

ROWS = [
    pytest.param([0.5, -1.0, 1.0], id="every comparison is a tie"),
    pytest.param([0.5, -3.0, 1.0], id="tie below a branch"),
    pytest.param([NAN, NAN, NAN], id="everything missing"),
    pytest.param([0.0, NAN, 2.0], id="one missing"),
    pytest.param([1.0, 0.0, float("inf")], id="infinite"),
    pytest.param([-0.0, -1.0000001, 1.0000001], id="next to a tie"),
]


def explained(
    ensemble: Ensemble, kind: str, row: list[float], rows: int = 1
) -> tuple[PreparedModel, Array]:
    """Return the prepared file and its last output."""
    options = Options(explain=(parse_explain(kind),))
    prepared = prepare(ensemble_model(ensemble, rows), options)
    given = np.array([row] * rows, np.float32)
    return prepared, run_prepared(prepared, {"x": given})[-1]


def exact_score(ensemble: Ensemble, row: list[float], score: int) -> Fraction:
    """Return the sum of what the leaves that a row reaches add to a score."""
    leaves = [path_of(tree, row)[-1] for tree in ensemble.ordered()]
    weights = [leaf.weights.get(score, 0.0) for leaf in leaves if isinstance(leaf, Leaf)]
    return sum((Fraction(float(np.float32(weight))) for weight in weights), Fraction(0))


def value_of(tree: Tree, score: int, unit: Fraction) -> int:
    """Return the value of a node in units: Python's round is half to even, as rint is."""
    if isinstance(tree, Leaf):
        return round(Fraction(float(np.float32(tree.weights.get(score, 0.0)))) / unit)
    rates = [max(Fraction(side.rate), Fraction(0)) for side in (tree.true, tree.false)]
    rates = rates if sum(rates) else [Fraction(1), Fraction(1)]
    sides = [value_of(side, score, unit) for side in (tree.true, tree.false)]
    return round(sum(r * side for r, side in zip(rates, sides, strict=True)) / sum(rates))


def contributions_of(ensemble: Ensemble, row: list[float], unit: Fraction) -> list[list[int]]:
    """Return, by score, what each feature adds along the paths of a row, then the base value."""
    found = [[0] * (ensemble.features + 1) for _ in range(ensemble.scores)]
    for tree in ensemble.ordered():
        path = path_of(tree, row)
        for score, places in enumerate(found):
            values = [value_of(node, score, unit) for node in path]
            places[-1] += values[0]
            for node, above, below in zip(path, values, values[1:], strict=False):
                assert isinstance(node, Branch)
                places[node.feature] += below - above
    return found


@pytest.mark.parametrize("row", ROWS)
def test_the_leaves_are_those_of_a_walk(row: list[float]) -> None:
    _, found = explained(MODES, "leaves", row)
    assert found.dtype == np.int32
    assert found.tolist() == [[node_id(t, path_of(t, row)[-1]) for t in MODES.ordered()]]


@pytest.mark.parametrize("row", ROWS)
def test_the_path_is_that_of_a_walk_filled_with_minus_one(row: list[float]) -> None:
    _, found = explained(MODES, "path", row)
    walks = [[node_id(t, node) for node in path_of(t, row)] for t in MODES.ordered()]
    assert found.dtype == np.int32
    assert found.tolist() == [[walk + [-1] * (3 - len(walk)) for walk in walks]]


@pytest.mark.parametrize("row", ROWS)
def test_the_contributions_are_those_of_a_walk(row: list[float]) -> None:
    prepared, found = explained(MODES, "contributions", row)
    (unit,) = prepared.explanations[0].units
    assert found.dtype == np.int32
    assert found.tolist() == [contributions_of(MODES, row, Fraction(unit))]


@pytest.mark.parametrize("row", ROWS)
def test_all_places_of_a_score_sum_to_the_score(row: list[float]) -> None:
    prepared, found = explained(MODES, "contributions", row)
    unit = Fraction(prepared.explanations[0].units[0])
    assert prepared.explanations[0].rounding == "the sum is exact"
    wanted = [exact_score(MODES, row, score) for score in range(2)]
    assert [int(total) * unit for total in found.sum(axis=2)[0]] == wanted
    score = run_prepared(prepared, {"x": np.array([row], np.float32)})[0]
    assert score.tolist() == [[float(total) for total in wanted]]


def test_the_small_tree_by_hand() -> None:
    _, leaf = explained(Ensemble({0: SMALL}, 2), "leaves", [0.5, 0.0])
    _, path = explained(Ensemble({0: SMALL}, 2), "path", [0.5, 0.0])
    _, parts = explained(Ensemble({0: SMALL}, 2), "contributions:1/4", [0.5, 0.0])
    assert leaf.tolist() == [[19]]
    assert path.tolist() == [[[10, 13, 19]]]
    # in quarters: leaves 16, 32 and 8; node 13 is 24, the root 16
    assert parts.tolist() == [[[8, 8, 16]]]


def test_hit_rates_weigh_the_sides_of_a_branch() -> None:
    tree = Branch(0, 0.0, Leaf({0: 4.0}, rate=30), Leaf({0: 8.0}, rate=10))
    _, parts = explained(Ensemble({0: tree}, 1), "contributions:1/4", [1.0])
    assert parts.tolist() == [[[12, 20]]]


def test_a_value_between_two_whole_numbers_is_rounded_to_the_even_one() -> None:
    tree = Branch(0, 0.0, Leaf({0: 2.5}), Leaf({0: 3.5}))
    _, parts = explained(Ensemble({0: tree}, 1), "contributions:1", [1.0])
    assert parts.tolist() == [[[1, 3]]]  # leaves 2 and 4


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("leaves", [[10, 10]], id="leaves"),
        pytest.param("path", [[[10], [10]]], id="path"),
        pytest.param("contributions:1/2", [[[0, 0, 3]]], id="contributions"),
    ],
)
def test_trees_of_one_leaf_are_explained(kind: str, expected: list[object]) -> None:
    ensemble = Ensemble({1: Leaf({0: 1.0}), 2: Leaf({0: 0.5})}, 2)
    assert explained(ensemble, kind, [0.0, 0.0])[1].tolist() == expected


def test_weights_that_are_all_zero_are_explained_by_zeros() -> None:
    tree = Branch(0, 0.0, Leaf({0: 0.0}), Leaf({0: 0.0}))
    prepared, parts = explained(Ensemble({0: tree}, 1), "contributions", [1.0])
    assert parts.tolist() == [[[0, 0]]]
    assert prepared.explanations[0].units == (1.0,)


@pytest.mark.parametrize(
    ("attributes", "base", "factor"),
    [
        pytest.param({"base_values": [0.5, -3.0]}, [0.5, -3.0], 1.0, id="sum"),
        pytest.param(
            {"aggregate_function": "AVERAGE", "base_values": [0.5, -3.0]},
            [0.5, -3.0],
            0.2,
            id="average",
        ),
    ],
)
def test_base_values_and_averages_are_in_the_sum(
    attributes: dict[str, object], base: list[float], factor: float
) -> None:
    ensemble = Ensemble(MODES.trees, 3, 2, attributes=attributes)
    row = [0.25, 0.0, 1.0]
    prepared, found = explained(ensemble, "contributions", row)
    unit = prepared.explanations[0].units[0]
    wanted = [float(exact_score(ensemble, row, s)) * factor + base[s] for s in range(2)]
    # 5 leaves and a base value, each rounded to half a unit
    assert np.abs(found.sum(axis=2)[0] * unit - wanted).max() <= 3 * unit


def classifier(scores: int, **attributes: object) -> Ensemble:
    """Return trees with weights for some classes, of the last binary kind if there is one."""
    first: Tree = Branch(
        0, 0.0, Leaf({s: 0.1 * (s + 1) for s in range(scores)}), Leaf({0: 0.3}), missing=True
    )
    second: Tree = Branch(1, 2.0, Leaf({scores - 1: 0.7}), Leaf({0: 0.2, scores - 1: 0.05}))
    return Ensemble({0: first, 1: second}, 2, scores, "TreeEnsembleClassifier", dict(attributes))


@pytest.mark.parametrize(
    ("ensemble", "meaning"),
    [
        pytest.param(classifier(3), "to 3 scores; place 2 ", id="three classes"),
        pytest.param(
            classifier(3, post_transform="SOFTMAX"),
            "to 3 scores, before SOFTMAX; place 2 ",
            id="before the transform",
        ),
        pytest.param(classifier(1), "to the score of label 1; place 2 ", id="two classes"),
        pytest.param(
            classifier(1, post_transform="LOGISTIC", base_values=[0.25]),
            "to the score of label 1, before LOGISTIC; place 2 ",
            id="margin",
        ),
    ],
)
@pytest.mark.parametrize("row", [[0.0, 2.0], [1.0, 3.0], [NAN, NAN]])
def test_the_scores_of_a_classifier_are_explained_within_the_bound(
    ensemble: Ensemble, meaning: str, row: list[float]
) -> None:
    prepared, found = explained(ensemble, "contributions", row)
    told = prepared.explanations[0]
    assert meaning in told.meaning
    bound = Fraction(told.rounding.split(" ")[4]) * Fraction(101, 100)  # shown to 3 digits
    assert 0 < bound < 2
    base = Fraction(0.25 if "base_values" in ensemble.attributes else 0)
    unit = Fraction(told.units[0])
    for score, total in enumerate(found.sum(axis=2)[0]):
        exact = exact_score(ensemble, row, score) + base
        assert abs(int(total) * unit - exact) <= bound * unit


def test_the_chosen_unit_is_the_smallest_that_float32_counts_in() -> None:
    ensemble = classifier(3)
    prepared, _ = explained(ensemble, "contributions", [0.0, 0.0])
    (unit,) = prepared.explanations[0].units
    finer = f"contributions:{Fraction(unit) / 2}"
    with pytest.raises(CannotPrepare, match="float32 counts to 16,777,216; leave UNIT out"):
        explained(ensemble, finer, [0.0, 0.0])


def test_a_decimal_unit_is_taken() -> None:
    tree = Branch(0, 0.0, Leaf({0: 0.25}), Leaf({0: 0.75}))
    prepared, parts = explained(Ensemble({0: tree}, 1), "contributions:1e-6", [1.0])
    assert parts.tolist() == [[[250_000, 500_000]]]
    assert prepared.explanations[0].units == (1e-6,)


def test_the_answer_keeps_its_place_and_its_bytes() -> None:
    model = ensemble_model(MODES)
    kinds = tuple(map(parse_explain, ("leaves", "path", "contributions")))
    plain, more = prepare(model), prepare(model, Options(explain=kinds))
    names = [value.name for value in parse_model(more.data).graph.outputs]
    assert names == ["y", "leaves", "path", "contributions"]
    x = {"x": np.array([[0.5, NAN, 2.0]], np.float32)}
    assert run_prepared(plain, x)[0].tobytes() == run_prepared(more, x)[0].tobytes()


def test_several_rows_of_one_item_are_explained_each() -> None:
    _, found = explained(MODES, "path", [0.5, -1.0, 1.0], rows=4)
    assert found.shape == (4, 5, 3)
    assert (found == found[0]).all()


def test_every_backend_gives_the_same_bytes_of_a_batch() -> None:
    kinds = tuple(map(parse_explain, ("leaves", "path", "contributions")))
    model = parse_model(prepare(ensemble_model(MODES), Options(explain=kinds)).data)
    assert model.batchable
    rows = [np.array([param.values[0]], np.float32) for param in ROWS]
    found = [
        run_items(backend_named(name).plan(model.graph), model, encode_tensors(rows))
        for name in ("reference", "cpu")
    ]
    assert found[0] == found[1]
    leaf = MODES.ordered()[0]
    assert found[0][8:12] == node_id(leaf, path_of(leaf, [0.5, -1.0, 1.0])[-1]).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("option", "integers"),
    [
        pytest.param("x=uint8:1/64:128", [[128 + 32, 64, 192]], id="uint8"),
        pytest.param("x=fixed32:1/65536", [[32768, -65536, 65536]], id="fixed32"),
    ],
)
def test_integer_inputs_reach_the_same_leaves(option: str, integers: list[list[int]]) -> None:
    adapter = parse_input_adapter(option)
    options = Options(
        inputs={"x": adapter},
        outputs={"y": parse_output_adapter("y=argmax")},
        explain=(parse_explain("leaves"), parse_explain("contributions")),
    )
    prepared = prepare(ensemble_model(MODES), options)
    given = np.array(integers, adapter.dtype)
    row = [0.5, -1.0, 1.0]
    assert adapter.to_real(given).tolist() == [row]
    _, leaves, parts = run_prepared(prepared, {"x": given})
    assert leaves.tolist() == [[node_id(t, path_of(t, row)[-1]) for t in MODES.ordered()]]
    unit = Fraction(prepared.explanations[1].units[0])
    assert parts.tolist() == [contributions_of(MODES, row, unit)]
    assert prepared.explanations[1].features == ("x[0]", "x[1]", "x[2]")


def test_features_that_were_joined_keep_the_names_of_their_inputs() -> None:
    model = ensemble_model(MODES)
    node = model.graph.node[0]
    node.input[0] = "joined"
    del model.graph.input[:]
    for name, width in (("age", 1), ("size", 2)):
        model.graph.input.append(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, width])
        )
    model.graph.node.insert(0, onnx.helper.make_node("Concat", ["age", "size"], ["joined"], axis=1))
    prepared = prepare(model, Options(explain=(parse_explain("contributions"),)))
    assert prepared.explanations[0].features == ("age", "size[0]", "size[1]")


@pytest.mark.parametrize("function", ["MIN", "MAX"])
def test_an_extreme_of_trees_has_leaves_but_no_contributions(function: str) -> None:
    ensemble = Ensemble(MODES.trees, 3, 2, attributes={"aggregate_function": function})
    assert explained(ensemble, "leaves", [0.0, 0.0, 0.0])[1].shape == (1, 5)
    with pytest.raises(CannotPrepare, match=f"takes the {function} of its trees, which is no sum"):
        explained(ensemble, "contributions", [0.0, 0.0, 0.0])


@pytest.mark.parametrize("bad_id", [2**24, -1])
def test_ids_that_float32_does_not_keep_are_refused(bad_id: int) -> None:
    model = ensemble_model(Ensemble({0: Leaf({0: 1.0})}, 1))
    for attribute in model.graph.node[0].attribute:
        if attribute.name in ("nodes_nodeids", "target_nodeids"):
            attribute.ints[0] = bad_id
    with pytest.raises(CannotPrepare, match=f"id {bad_id}; ids that float32 keeps"):
        prepare(model, Options(explain=(parse_explain("leaves"),)))


def test_more_places_than_a_regressor_has_are_refused() -> None:
    ensemble = Ensemble({0: SMALL}, 2**16)
    with pytest.raises(CannotPrepare, match="the output would have 65537 places, at most 65536"):
        explained(ensemble, "contributions", [0.0] * 2**16)


LEAVES = st.builds(
    Leaf,
    st.dictionaries(st.integers(0, 2), st.floats(-1e6, 1e6, width=32), min_size=1),
    rate=st.sampled_from([0.0, 1.0, 2.5]),
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda sides: st.builds(
        Branch,
        st.integers(0, 3),
        st.integers(-2, 2).map(float),
        sides,
        sides,
        st.sampled_from(sorted(TAKES_TRUE)),
        st.booleans(),
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(TREES, min_size=1, max_size=4),
    st.lists(st.sampled_from([-2.0, -1.0, 0.5, 1.0, 2.0, NAN]), min_size=4, max_size=4),
)
def test_random_trees_are_explained_as_a_walk_does(trees: list[Tree], row: list[float]) -> None:
    ensemble = Ensemble(dict(enumerate(trees)), 4, 3)
    kinds = tuple(map(parse_explain, ("leaves", "path", "contributions")))
    prepared = prepare(ensemble_model(ensemble), Options(explain=kinds))
    _, leaves, path, parts = run_prepared(prepared, {"x": np.array([row], np.float32)})
    walks = [[node_id(t, node) for node in path_of(t, row)] for t in trees]
    assert leaves.tolist() == [[walk[-1] for walk in walks]]
    assert [[i for i in steps if i >= 0] for steps in path[0].tolist()] == walks
    unit = Fraction(prepared.explanations[2].units[0])
    totals = [value_total(trees, row, score, unit) for score in range(3)]
    assert parts.sum(axis=2).tolist() == [totals]
    wanted = [exact_score(ensemble, row, score) for score in range(3)]
    half = Fraction(len(trees), 2)
    assert all(abs(t * unit - w) <= half * unit for t, w in zip(totals, wanted, strict=True))
    assert parts[0].tolist() == contributions_of(ensemble, row, unit)


def value_total(trees: list[Tree], row: list[float], score: int, unit: Fraction) -> int:
    """Return the sum of the values of the leaves that a row reaches."""
    return sum(value_of(path_of(tree, row)[-1], score, unit) for tree in trees)
