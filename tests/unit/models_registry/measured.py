"""A dataset, models and an Evaluator that measures them, for tests of the library."""

from dataclasses import dataclass

from models_registry.datasets import Dataset, LabelType
from tests.unit.models_registry.contract_world import (
    Contract,
    ContractWorld,
    Done,
    FakeModel,
    ItemRefused,
)

INDEX, ARGMAX, NEAR = range(3)
INT8, UINT8, INT32, INT64, FLOAT32 = range(5)
Rule = tuple[int, int, int, int, int]

CLASS_OF_BYTE: Rule = (INDEX, UINT8, 0, 0, 0)
ROW_BYTES = 4


def model_id(number: int) -> bytes:
    """Return the id of a fake model."""
    return number.to_bytes(32, "big")


def reader(wrong_below: int, *, is_batchable: bool = True) -> FakeModel:
    """Return a model that gives a row's first byte, but is wrong on first bytes below a bound.

    It takes no row whose last byte is 255.
    """

    def run(item: bytes) -> bytes:
        if item[-1] == 255:
            raise ItemRefused
        return bytes([item[0] ^ (0x80 if item[0] < wrong_below else 0)])

    return FakeModel(run, ROW_BYTES, 1, is_batchable)


def rows_of(count: int) -> Dataset:
    """Return rows that begin with their own label."""
    rows = [bytes([i % 100]) + bytes(ROW_BYTES - 1) for i in range(count)]
    return Dataset(rows, [i % 100 for i in range(count)])


@dataclass(slots=True)
class Measured:
    """A world with a DatasetRegistry and an Evaluator."""

    world: ContractWorld
    datasets: Contract
    evaluator: Contract

    def register(
        self,
        dataset: Dataset,
        label_type: LabelType = LabelType.CLASS,
        uri: str = "",
        sender: str = "publisher",
    ) -> bytes:
        """Register a dataset and return its id."""
        arguments = (dataset.root, len(dataset), dataset.row_bytes, label_type, uri)
        done = self.datasets.send(self.world.user(sender), "register", *arguments)
        return bytes(self.datasets.result("register", done))

    def submit(
        self,
        model: bytes,
        dataset_id: bytes,
        dataset: Dataset,
        first: int,
        height: int,
        rule: Rule = CLASS_OF_BYTE,
    ) -> Done:
        """Have a run of rows evaluated."""
        batch = dataset.batch(first, height).as_tuple()
        sender = self.world.user("submitter")
        return self.evaluator.send(sender, "submit", model, dataset_id, rule, batch)

    def certify(
        self, model: bytes, dataset_id: bytes, dataset: Dataset, rule: Rule = CLASS_OF_BYTE
    ) -> bytes:
        """Have every row evaluated and return the certificate's id."""
        self.submit(model, dataset_id, dataset, 0, dataset.depth, rule)
        return self.certificate_id(model, dataset_id, rule)

    def certificate_id(self, model: bytes, dataset_id: bytes, rule: Rule = CLASS_OF_BYTE) -> bytes:
        """Return the id of a certificate."""
        return bytes(self.evaluator.view("certificateId", model, dataset_id, rule))


def measured(models: dict[bytes, FakeModel] | None = None) -> Measured:
    """Deploy both contracts in a new world."""
    world = ContractWorld(models or {})
    datasets = world.deploy("DatasetRegistry")
    return Measured(world, datasets, world.deploy("Evaluator", datasets.address))
