"""Roots and proofs of labelled rows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.keccak import keccak256
from models_registry.datasets import (
    BadRows,
    BadRun,
    Dataset,
    LabelType,
    dataset_id,
    depth_of,
    leaf,
    verify_batch,
)


def dataset_of(count: int, row_bytes: int = 3) -> Dataset:
    return Dataset([bytes([i % 256] * row_bytes) for i in range(count)], list(range(count)))


def test_a_leaf_is_hashed_twice_over_index_label_and_row() -> None:
    preimage = bytes(31) + b"\x07" + b"\xff" * 32 + b"row"
    assert leaf(7, b"row", -1) == keccak256(keccak256(preimage))


def test_a_root_pads_with_zero_leaves_on_the_right() -> None:
    a, b, c = (leaf(i, bytes([i] * 3), i) for i in range(3))
    pairs = keccak256(a + b) + keccak256(c + bytes(32))
    assert dataset_of(3).root == keccak256(pairs)


def test_one_row_is_its_own_root_with_an_empty_path() -> None:
    dataset = dataset_of(1)
    assert dataset.root == leaf(0, bytes(3), 0)
    assert dataset.batch(0, 0).path == ()


@pytest.mark.parametrize(
    ("rows", "depth"),
    [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (10_000, 14), (1 << 32, 32)],
)
def test_the_depth_is_the_logarithm_rounded_up(rows: int, depth: int) -> None:
    assert depth_of(rows) == depth


def test_the_last_run_holds_the_rows_that_are_left() -> None:
    batch = dataset_of(11).batch(8, 2)
    assert batch.rows == b"\x08" * 3 + b"\x09" * 3 + b"\x0a" * 3
    assert batch.labels == b"".join(i.to_bytes(8, "big") for i in (8, 9, 10))
    assert len(batch.path) == 2


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(0, 7), st.data())
def test_every_run_of_every_dataset_proves_and_nothing_else_does(
    count: int, height: int, data: st.DataObject
) -> None:
    dataset = dataset_of(count)
    if height > dataset.depth:
        with pytest.raises(BadRun):
            dataset.batch(0, height)
        return
    batches = list(dataset.batches(height))
    assert b"".join(batch.rows for batch in batches) == b"".join(
        bytes([i % 256] * 3) for i in range(count)
    )
    batch = data.draw(st.sampled_from(batches))
    assert verify_batch(dataset.root, count, 3, batch)
    at = data.draw(st.integers(0, len(batch.rows) - 1))
    damaged = bytearray(batch.rows)
    damaged[at] ^= 1
    assert not verify_batch(dataset.root, count, 3, replace(batch, rows=bytes(damaged)))
    other = (
        data.draw(st.integers(0, count - 1).filter(lambda first: first != batch.first))
        if count > 1
        else count
    )
    assert not verify_batch(dataset.root, count, 3, replace(batch, first=other))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"labels": bytes(7) + b"\x05" + bytes(8)}, id="another label"),
        pytest.param({"labels": bytes(8)}, id="too few labels"),
        pytest.param({"rows": bytes(5)}, id="too few bytes"),
        pytest.param({"path": ()}, id="no path"),
        pytest.param({"path": (bytes(32),) * 2}, id="another path"),
        pytest.param({"height": 9}, id="higher than the tree"),
        pytest.param({"first": 1}, id="not aligned"),
        pytest.param({"first": 8}, id="after the end"),
    ],
)
def test_a_batch_that_differs_in_one_thing_does_not_prove(change: dict[str, object]) -> None:
    dataset = dataset_of(8)
    batch = dataset.batch(0, 1)
    assert verify_batch(dataset.root, 8, 3, batch)
    assert not verify_batch(dataset.root, 8, 3, replace(batch, **change))  # type: ignore[arg-type]


def test_a_node_cannot_pass_for_a_row() -> None:
    dataset = dataset_of(4, row_bytes=1)
    batch = dataset.batch(0, 0)
    shorter = replace(batch, path=batch.path[1:])
    assert not verify_batch(dataset.root, 2, 1, shorter)


@pytest.mark.parametrize(("first", "height"), [(1, 1), (4, 3), (11, 0), (-4, 2), (0, 5)])
def test_no_run_starts_off_its_multiple(first: int, height: int) -> None:
    with pytest.raises(BadRun) as caught:
        dataset_of(11).batch(first, height)
    assert (caught.value.first, caught.value.height, caught.value.rows) == (first, height, 11)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        pytest.param([], [], "0 rows", id="none"),
        pytest.param([b"a"], [1, 2], "2 labels for 1 rows", id="labels without rows"),
        pytest.param([b"a", b"bc"], [1, 2], "rows of \\[1, 2\\] bytes", id="unequal"),
        pytest.param([b""], [1], "rows of \\[0\\] bytes", id="empty"),
        pytest.param([b"a"], [1 << 63], "is no int64", id="label too large"),
        pytest.param([b"a"], [-(1 << 63) - 1], "is no int64", id="label too small"),
    ],
)
def test_what_is_no_dataset_is_named(rows: list[bytes], labels: list[int], message: str) -> None:
    with pytest.raises(BadRows, match=message):
        Dataset(rows, labels)


def test_an_id_hashes_everything_that_is_said_of_a_dataset() -> None:
    root = keccak256(b"root")
    ids = {
        dataset_id(publisher, root, rows, 784, kind, uri)
        for publisher in (bytes(20), b"\x01" * 20)
        for rows in (1, 2)
        for kind in LabelType
        for uri in ("", "x")
    }
    assert len(ids) == 24
