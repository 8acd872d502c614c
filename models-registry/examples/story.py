"""How the stories of `make demo-contracts` are told: steps with their gas and outcome."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console

from cvm.inference.tensor_type import Array
from examples.dev_chain import Deployed, DevChain, Sent
from models_registry.datasets import Dataset
from node.sample_models import sample_model_path

LABEL_RULE = (0, 3, 0, 0, 0)
"""INDEX of INT64 at byte 0: the digit models' own label."""

MOVED_PIXELS = 6
"""So far down the digits of the hard dataset lie: both models read about half of them."""


class StoryFailed(Exception):
    """A contract did not do what its story says."""


@dataclass(slots=True)
class Story:
    """One contract at work; prints each step as it happens."""

    chain: DevChain
    console: Console
    steps: int = 0
    outcomes: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Begin a contract's story."""
        self.console.print(f"\n[bold]{text}[/]")

    def tell(self, text: str, sent: Sent, outcome: str = "") -> Sent:
        """Print a transaction that succeeded."""
        self.note(text, f"{sent.gas_used:>10,} gas", outcome)
        return sent

    def note(self, text: str, gas: str = "", outcome: str = "") -> None:
        """Print a line of the story."""
        self.steps += 1
        self.outcomes.append(outcome)
        line = f"  {text:<58} {gas:>14}  {outcome}".rstrip()
        self.console.print(line, markup=False, soft_wrap=True)

    def expect(self, what: str, found: Any, expected: Any) -> None:
        """Check a fact of the story; raises `StoryFailed`."""
        if found != expected:
            raise StoryFailed(f"{what}: {found!r}, not {expected!r}")


@dataclass(frozen=True, slots=True)
class Measuring:
    """What several stories share: two models, and a registry and an evaluator of datasets."""

    int8: bytes
    float32: bytes
    registry: Deployed
    evaluator: Deployed

    def register(self, story: Story, person: str, rows: Dataset, uri: str) -> bytes:
        """Register a dataset and return its id."""
        shape = (rows.root, len(rows), rows.row_bytes, 0, uri)
        sent = self.registry.send(person, "register", *shape)
        dataset_id: bytes = self.registry.event(sent, "DatasetRegistered")[0]
        story.tell(f"{person} registers {len(rows)} {uri}", sent, f"0x{dataset_id.hex()[:12]}…")
        return dataset_id

    def certify(
        self, story: Story, person: str, model: bytes, dataset_id: bytes, rows: Dataset
    ) -> int:
        """Have every row evaluated in one run; return how many are right."""
        batch = rows.batch(0, rows.depth).as_tuple()
        sent = self.evaluator.send(person, "submit", model, dataset_id, LABEL_RULE, batch)
        correct, count = self.evaluator.event(sent, "Certified")[1:]
        name = "digits_int8" if model == self.int8 else "digits_float32"
        story.tell(f"{person} submits all rows for {name}", sent, f"{correct} of {count} right")
        return int(correct)


def digits() -> tuple[Array, Array]:
    """Return the 100 bundled digits, uint8 [100, 1, 28, 28], and their labels."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return images, np.load(sample_model_path("digits_100_labels.npy"), allow_pickle=False)


def easy_rows() -> Dataset:
    """Return the digits as they are."""
    images, labels = digits()
    return dataset_of(images, labels)


def hard_rows() -> Dataset:
    """Return the digits moved down, which the models were not trained for."""
    images, labels = digits()
    return dataset_of(np.roll(images, MOVED_PIXELS, axis=2), labels)


def dataset_of(images: Array, labels: Array) -> Dataset:
    """Return digits as rows of a dataset."""
    return Dataset([image.tobytes() for image in images], [int(label) for label in labels])
