"""DatasetRegistry.sol in the node's own EVM."""

from typing import Any

import pytest

from models_registry.datasets import LabelType, dataset_id
from tests.unit.models_registry.contract_world import Contract, ContractWorld, Reverted

ROOT = b"\x77" * 32


@pytest.fixture
def registry() -> Contract:
    return ContractWorld().deploy("DatasetRegistry")


def register(
    registry: Contract,
    *,
    sender: str = "publisher",
    root: bytes = ROOT,
    rows: int = 10,
    row_bytes: int = 784,
    label_type: int = LabelType.CLASS,
    uri: str = "ipfs://rows",
) -> bytes:
    done = registry.send(
        registry.world.user(sender), "register", root, rows, row_bytes, label_type, uri
    )
    return bytes(registry.result("register", done))


def test_a_dataset_is_what_was_registered(registry: Contract) -> None:
    publisher = registry.world.user("publisher")
    registry.world.height = 33
    found = register(registry)
    assert found == dataset_id(publisher, ROOT, 10, 784, LabelType.CLASS, "ipfs://rows")
    assert registry.view("dataset", found) == (
        ROOT,
        "0x" + publisher.hex(),
        10,
        784,
        LabelType.CLASS,
        33,
        "ipfs://rows",
    )
    assert registry.view("shape", found) == (ROOT, 10, 784, LabelType.CLASS)
    assert registry.view("publisherOf", found) == "0x" + publisher.hex()


def test_registering_says_everything_in_one_event(registry: Contract) -> None:
    publisher = registry.world.user("publisher")
    done = registry.send(publisher, "register", ROOT, 10, 784, LabelType.INTEGER, "u")
    found = registry.result("register", done)
    assert registry.events(done, "DatasetRegistered") == [
        (found, "0x" + publisher.hex(), ROOT, 10, 784, LabelType.INTEGER, "u")
    ]


def test_datasets_are_listed_in_the_order_of_registration(registry: Contract) -> None:
    ids = [register(registry, rows=rows) for rows in (3, 1, 2)]
    assert registry.view("datasetCount") == 3
    assert [registry.view("datasetAt", i) for i in range(3)] == ids


def test_another_publisher_of_the_same_rows_has_another_dataset(registry: Contract) -> None:
    assert register(registry, sender="one") != register(registry, sender="two")


def test_a_dataset_cannot_be_registered_again(registry: Contract) -> None:
    found = register(registry)
    registry.world.height = 9
    with pytest.raises(Reverted) as caught:
        register(registry)
    assert caught.value.data == registry.error("AlreadyRegistered", found, 1)


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        pytest.param({"root": bytes(32)}, "NoRoot", (), id="no root"),
        pytest.param({"rows": 0}, "BadRowCount", (0, 1 << 32), id="no rows"),
        pytest.param(
            {"rows": (1 << 32) + 1}, "BadRowCount", ((1 << 32) + 1, 1 << 32), id="too many rows"
        ),
        pytest.param({"row_bytes": 0}, "BadRowBytes", (0, 1 << 20), id="empty rows"),
        pytest.param(
            {"row_bytes": (1 << 20) + 1}, "BadRowBytes", ((1 << 20) + 1, 1 << 20), id="large rows"
        ),
        pytest.param({"uri": "u" * 257}, "UriTooLong", (257, 256), id="long uri"),
    ],
)
def test_what_is_no_dataset_is_refused_with_both_values(
    registry: Contract, change: dict[str, Any], error: str, values: tuple[int, ...]
) -> None:
    with pytest.raises(Reverted) as caught:
        register(registry, **change)
    assert caught.value.data == registry.error(error, *values)


@pytest.mark.parametrize(
    "change",
    [{"rows": 1 << 32}, {"row_bytes": 1 << 20}, {"uri": "u" * 256}, {"uri": ""}],
    ids=["most rows", "largest rows", "longest uri", "no uri"],
)
def test_a_dataset_at_a_limit_is_taken(registry: Contract, change: dict[str, Any]) -> None:
    register(registry, **change)
    assert registry.view("datasetCount") == 1


def test_a_kind_of_label_that_does_not_exist_is_refused(registry: Contract) -> None:
    with pytest.raises(Reverted):
        register(registry, label_type=3)


@pytest.mark.parametrize("function", ["dataset", "shape", "publisherOf"])
def test_a_dataset_that_was_not_registered_is_named(registry: Contract, function: str) -> None:
    with pytest.raises(Reverted) as caught:
        registry.view(function, ROOT)
    assert caught.value.data == registry.error("NoDataset", ROOT)


def test_a_place_after_the_last_dataset_is_refused(registry: Contract) -> None:
    register(registry)
    with pytest.raises(Reverted) as caught:
        registry.view("datasetAt", 1)
    assert caught.value.data == registry.error("NoDatasetAt", 1, 1)
