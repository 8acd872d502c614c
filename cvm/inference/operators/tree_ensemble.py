"""Decision trees: their attributes become checked flat arrays, and a walk finds their leaves.

Shared by TreeEnsembleClassifier-3 and TreeEnsembleRegressor-3 of ai.onnx.ml.
"""

from dataclasses import dataclass

import numpy as np

from cvm.inference.cost import SERIAL, Cost
from cvm.inference.graph import NodeView
from cvm.inference.operators.attributes import strings_attribute
from cvm.inference.operators.refusal import refusal
from cvm.inference.operators.weight_lists import float_weights, integer_list, require_length
from cvm.inference.tensor_type import Array

MAX_DEPTH = 256
"""Branches from a root to a leaf."""

CACHE_LINE_BYTES = 64
"""What visiting a node moves, wherever the node lies."""

FIRST_STEPS = 16 * SERIAL
FURTHER_STEPS = 5 * SERIAL
"""Of a visited node, in the first row and in the others."""

NODE_BYTES = 16
WEIGHT_BYTES = 8

BELOW, EQUAL, ABOVE, MISSING = 1, 2, 4, 8
"""How a feature may stand to a node's value; MISSING is NaN."""

WAYS_TO_TRUE = {
    "BRANCH_LEQ": BELOW | EQUAL,
    "BRANCH_LT": BELOW,
    "BRANCH_GTE": EQUAL | ABOVE,
    "BRANCH_GT": ABOVE,
    "BRANCH_EQ": EQUAL,
    "BRANCH_NEQ": BELOW | ABOVE,
    "LEAF": 0,
}
"""By a node's mode, when it goes to its true child; a NaN only where it tracks true."""

_UNKNOWN, _LEAF = 255, 254

NODE_ATTRIBUTES = frozenset(
    f"nodes_{name}"
    for name in (
        "falsenodeids",
        "featureids",
        "hitrates",
        "hitrates_as_tensor",
        "missing_value_tracks_true",
        "modes",
        "nodeids",
        "treeids",
        "truenodeids",
        "values",
        "values_as_tensor",
    )
)
NODE_WEIGHT_LISTS = NODE_ATTRIBUTES - {
    "nodes_modes",
    "nodes_hitrates_as_tensor",
    "nodes_values_as_tensor",
}


@dataclass(frozen=True, slots=True)
class TreeEnsemble:
    """Trees in ascending order of their ids; nodes and leaf weights are listed in the file's order.

    By tree: `roots` (a node's index) and `depths` (branches to the deepest leaf). By node:
    `features`, `values`, `ways` (see `WAYS_TO_TRUE`), `true_children` and `false_children`; a leaf
    is its own child. The weights of node i are those from `starts[i]` to `starts[i + 1]` in
    `columns` and `weights`.
    """

    roots: Array
    depths: Array
    features: Array
    values: Array
    ways: Array
    true_children: Array
    false_children: Array
    starts: Array
    columns: Array
    weights: Array

    def walk_cost(self, rows: int, columns: int) -> Cost:
        """Count, for each row, the nodes on the longest paths and the weights of the fullest leaf.

        The first row finds the nodes wherever they lie: a cache line and `FIRST_STEPS` for each.
        Further rows walk beside each other.
        """
        fullest = int((self.starts[1:] - self.starts[:-1]).max())
        visits = sum(self.depths.tolist())
        additions = rows * (len(self.roots) * fullest + columns)
        stored = len(self.values) * NODE_BYTES + len(self.weights) * WEIGHT_BYTES
        steps = (
            FIRST_STEPS * (visits + len(self.roots))
            + FURTHER_STEPS * (rows - 1) * visits
            + SERIAL * additions
        )
        lines = (visits + len(self.roots)) * CACHE_LINE_BYTES
        return Cost(
            elementwise=steps,
            bytes_moved=lines + additions * WEIGHT_BYTES,
            weight_bytes=stored,
        )


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The nodes as the file lists them, with the number of each one's tree."""

    tree_ids: Array
    trees: Array
    node_ids: Array
    is_branch: Array


def parse_trees(view: NodeView, features: int, prefix: str, columns: int) -> TreeEnsemble:
    """Check an ensemble over rows of `features` and return its arrays, in O(nodes log nodes).

    The weights are those of the attributes `<prefix>_treeids`, `_nodeids`, `_ids` and `_weights`;
    their ids lie below `columns`. Refused: lists of unlike lengths, a node that stands twice, a
    child that does not exist, a node with other than one parent, a root that is not the first of
    its tree, a tree deeper than MAX_DEPTH, a feature out of range, weights of what is no leaf.
    """
    ways = _modes(view)
    count = len(ways)
    lists = {
        f"nodes_{name}": integer_list(view, f"nodes_{name}")
        for name in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    }
    values = float_weights(view, "nodes_values")
    missing = integer_list(view, "nodes_missing_value_tracks_true")
    missing = missing if missing.size else np.zeros(count, np.int64)
    require_length(
        view,
        {**lists, "nodes_values": values, "nodes_missing_value_tracks_true": missing},
        count,
    )
    if ((missing != 0) & (missing != 1)).any():
        raise refusal(view, "attribute value", "nodes_missing_value_tracks_true is not 0 or 1")
    is_branch = ways != _LEAF
    tree_ids, roots, trees = np.unique(
        lists["nodes_treeids"], return_index=True, return_inverse=True
    )
    nodes = _Nodes(tree_ids, trees, lists["nodes_nodeids"], is_branch)
    find = _NodeFinder(view, nodes)
    own = np.arange(count)
    children = [own.copy(), own.copy()]
    branches = np.flatnonzero(is_branch)
    for child, name in zip(children, ("nodes_truenodeids", "nodes_falsenodeids"), strict=True):
        child[branches] = find.places(name, trees[branches], lists[name][branches])
    depths = _depths(view, roots, nodes, children)
    starts, order, weight_columns = _weights(view, prefix, find, columns)
    return TreeEnsemble(
        roots=roots.astype(np.int32),
        depths=depths,
        features=_features(view, lists["nodes_featureids"], branches, features),
        values=values,
        ways=np.where(is_branch, ways | (missing * MISSING).astype(np.uint8), 0).astype(np.uint8),
        true_children=children[0].astype(np.int32),
        false_children=children[1].astype(np.int32),
        starts=starts.astype(np.int32),
        columns=weight_columns.astype(np.int32),
        weights=float_weights(view, f"{prefix}_weights")[order],
    )


def _modes(view: NodeView) -> Array:
    """Return, by node, when it goes to its true child, or _LEAF."""
    names = strings_attribute(view, "nodes_modes")
    codes = {**WAYS_TO_TRUE, "LEAF": _LEAF}
    ways = np.array([codes.get(name, _UNKNOWN) for name in names], np.uint8)
    unknown = np.flatnonzero(ways == _UNKNOWN)
    if unknown.size:
        name = names[int(unknown[0])]
        known = ", ".join(WAYS_TO_TRUE)
        raise refusal(view, "attribute value", f"nodes_modes {name!r:.40}; taken: {known}")
    if not names:
        raise refusal(view, "attribute value", "nodes_modes lists no nodes")
    return ways


class _NodeFinder:
    """Finds nodes by the number of their tree and their id."""

    def __init__(self, view: NodeView, nodes: _Nodes) -> None:
        self.nodes = nodes
        self._view = view
        self._ids, ranks = np.unique(nodes.node_ids, return_inverse=True)
        keys = nodes.trees * self._ids.size + ranks
        self._order = keys.argsort(kind="stable")
        self._keys = keys[self._order]
        twice = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if twice.size:
            place = self._order[twice[0]]
            raise refusal(
                view,
                "tree",
                f"node {nodes.node_ids[place]} of tree {nodes.tree_ids[nodes.trees[place]]} "
                "stands twice",
            )

    def places(self, name: str, trees: Array, node_ids: Array) -> Array:
        """Return the indices of nodes, given tree numbers and ids; `name` lists the ids."""
        ranks = _position(self._ids, node_ids)
        keys = trees * self._ids.size + ranks
        found = _position(self._keys, keys)
        wrong = np.flatnonzero((self._ids[ranks] != node_ids) | (self._keys[found] != keys))
        if wrong.size:
            node_id, tree = node_ids[wrong[0]], self.nodes.tree_ids[trees[wrong[0]]]
            raise refusal(self._view, "tree", f"{name}: tree {tree} has no node {node_id}")
        return np.asarray(self._order[found])

    def tree_numbers(self, name: str, tree_ids: Array) -> Array:
        """Return the numbers of trees, given their ids; `name` lists the ids."""
        numbers = _position(self.nodes.tree_ids, tree_ids)
        wrong = np.flatnonzero(self.nodes.tree_ids[numbers] != tree_ids)
        if wrong.size:
            raise refusal(self._view, "tree", f"{name}: there is no tree {tree_ids[wrong[0]]}")
        return numbers


def _position(ascending: Array, values: Array) -> Array:
    """Return where each value stands in a sorted array, or some place where it does not."""
    places = np.searchsorted(ascending, values)
    return np.where(places == ascending.size, 0, places)


def _depths(view: NodeView, roots: Array, nodes: _Nodes, children: list[Array]) -> Array:
    """Return the depth of each tree; every node hangs from its root by one path.

    Depths are found by doubling: after k rounds a node knows its 2**k-th ancestor, or its root.
    """
    count = len(nodes.trees)
    branches = np.flatnonzero(nodes.is_branch)
    parents = np.arange(count)
    for child in children:
        parents[child[branches]] = branches
    has_parent = np.zeros(count, np.bool_)
    for child in children:
        has_parent[child[branches]] = True
    if np.count_nonzero(has_parent) != 2 * branches.size:
        raise refusal(view, "tree", "a node is the child of two nodes, or twice of one")
    if has_parent[roots].any():
        tree = nodes.tree_ids[np.flatnonzero(has_parent[roots])[0]]
        raise refusal(view, "tree", f"the first node of tree {tree} is the child of another")
    if 2 * branches.size + roots.size != count:
        lost = count - 2 * branches.size - roots.size
        raise refusal(view, "tree", f"{lost} nodes are neither the first of a tree nor a child")
    depths = has_parent.astype(np.int16)
    for _ in range(MAX_DEPTH.bit_length()):
        depths = depths + depths[parents]
        parents = parents[parents]
    if has_parent[parents].any() or (depths > MAX_DEPTH).any():
        raise refusal(view, "tree", f"a tree is deeper than {MAX_DEPTH} branches, or a circle")
    deepest_last = depths.argsort(kind="stable")
    result = np.zeros(len(roots), np.int32)
    result[nodes.trees[deepest_last]] = depths[deepest_last]
    return result


def _features(view: NodeView, ids: Array, branches: Array, features: int) -> Array:
    """Return the feature that each branch compares; 0 for leaves."""
    used = ids[branches]
    outside = np.flatnonzero((used < 0) | (used >= features))
    if outside.size:
        found = f"nodes_featureids holds {used[outside[0]]}"
        raise refusal(view, "attribute value", f"{found}, x has {features} features")
    result = np.zeros(len(ids), np.int32)
    result[branches] = used
    return result


def _weights(
    view: NodeView, prefix: str, find: _NodeFinder, columns: int
) -> tuple[Array, Array, Array]:
    """Return where each node's weights start, the order of all by node, and their columns."""
    names = [f"{prefix}_{name}" for name in ("treeids", "nodeids", "ids")]
    tree_ids, node_ids, ids = (integer_list(view, name) for name in names)
    weights = float_weights(view, f"{prefix}_weights")
    lists = dict(zip(names[1:], (node_ids, ids), strict=True))
    require_length(view, {**lists, f"{prefix}_weights": weights}, tree_ids.size)
    if not weights.size:
        raise refusal(view, "attribute value", f"{prefix}_weights lists no weights")
    outside = np.flatnonzero((ids < 0) | (ids >= columns))
    if outside.size:
        found = f"{names[2]} holds {ids[outside[0]]}"
        raise refusal(view, "attribute value", f"{found}, there are {columns} columns")
    places = find.places(names[1], find.tree_numbers(names[0], tree_ids), node_ids)
    inner = np.flatnonzero(find.nodes.is_branch[places])
    if inner.size:
        raise refusal(view, "tree", f"{names[1]}: node {node_ids[inner[0]]} is no leaf")
    order = places.argsort(kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(find.nodes.trees) + 1))
    return starts, order, ids[order]


def leaves(trees: TreeEnsemble, row: Array) -> Array:
    """Return the leaf of every tree that one row of float32 features reaches.

    A branch compares its feature with its value in float32; a NaN goes to the false child, or to
    the true one where `nodes_missing_value_tracks_true` says so, whatever the mode.
    """
    place = trees.roots
    for _ in range(int(trees.depths.max())):
        feature, value = row[trees.features[place]], trees.values[place]
        relation = np.where(feature < value, BELOW, np.where(feature > value, ABOVE, EQUAL))
        relation = np.where(np.isnan(feature), MISSING, relation)
        goes_true = (trees.ways[place] & relation) != 0
        place = np.where(goes_true, trees.true_children[place], trees.false_children[place])
    return place


def contributions(trees: TreeEnsemble, row: Array) -> tuple[Array, Array]:
    """Return the columns and weights that a row collects: by tree, then in the file's order."""
    reached = leaves(trees, row)
    parts = [
        np.arange(start, end)
        for start, end in zip(trees.starts[reached], trees.starts[reached + 1], strict=True)
    ]
    places = np.concatenate(parts)
    return trees.columns[places], trees.weights[places]


def summed(trees: TreeEnsemble, rows: Array, base: Array) -> Array:
    """Return float32 sums (rows, columns): the base, then each contribution in order, rounded."""
    sums = np.empty((rows.shape[0], base.size), np.float32)
    for row, result in zip(rows, sums, strict=True):
        result[:] = base
        columns, weights = contributions(trees, row)
        for column, weight in zip(columns, weights, strict=True):
            result[column] = result[column] + weight
    return sums


def base_values(view: NodeView, columns: int) -> Array:
    """Return the float32 base value of each column; +0 where the attribute is absent."""
    base = float_weights(view, "base_values")
    if base.size == 0:
        return np.zeros(columns, np.float32)
    require_length(view, {"base_values": base}, columns)
    return base
