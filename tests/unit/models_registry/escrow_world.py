"""A VerifierEscrow with a model that adds two bytes, and jobs of five items."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from models_registry.datasets import Dataset
from tests.unit.models_registry.library_world import (
    Contract,
    Done,
    FakeModel,
    ItemRefused,
    LibraryWorld,
)
from tests.unit.models_registry.measured import model_id

MODEL, MISSING = model_id(1), model_id(2)
REFUSED = b"\xff\xff"
ITEMS = [b"\x01\x02", b"\x03\x04", REFUSED, b"\x05\x06", b"\x07\x08"]
INPUTS = Dataset(ITEMS, [0] * 5)
RIGHT = [b"\x03", b"\x07", b"\x00", b"\x0b", b"\x0f"]
SOLVE_BLOCKS, CHALLENGE_BLOCKS = 5, 10
SOLVER_FEE, VERIFIER_FEE, SOLVER_BOND, VERIFIER_BOND = 1_000, 100, 10_001, 5_000
FEES = SOLVER_FEE + VERIFIER_FEE
NOBODY = bytes(20)
PEOPLE = ("submitter", "solver", "verifier", "whistle-blower")
SALT = b"\x5a" * 32
OPEN, SOLVING, SOLVED, PAID, FRAUD, LATE, WITHDRAWN, VOID = range(1, 9)


def add(item: bytes) -> bytes:
    """Add the two bytes of an item; refuse the largest."""
    if item == REFUSED:
        raise ItemRefused
    return bytes([sum(item) % 256])


@dataclass(slots=True)
class Escrow:
    """A VerifierEscrow with one job after the other."""

    world: LibraryWorld
    escrow: Contract

    def send(self, name: str, function: str, *arguments: Any, value: int = 0) -> Done:
        return self.escrow.send(self.world.user(name), function, *arguments, value=value)

    def post(self, *, value: int = FEES, **changes: Any) -> int:
        terms = {
            "model": MODEL,
            "inputs": INPUTS.root,
            "items": 5,
            "solve": SOLVE_BLOCKS,
            "challenge": CHALLENGE_BLOCKS,
            "solver_fee": SOLVER_FEE,
            "verifier_fee": VERIFIER_FEE,
            "solver_bond": SOLVER_BOND,
            "verifier_bond": VERIFIER_BOND,
        } | changes
        done = self.send("submitter", "post", tuple(terms.values()), value=value)
        return int(self.escrow.result("post", done))

    def accept(self, job: int = 0) -> Done:
        return self.send("solver", "accept", job, value=SOLVER_BOND)

    def solve(self, outputs: list[bytes], job: int = 0) -> Done:
        return self.send("solver", "solve", job, b"".join(outputs))

    def solved(self, outputs: list[bytes], *, is_vouched: bool = False) -> int:
        job = self.post()
        self.accept(job)
        self.solve(outputs, job)
        if is_vouched:
            self.send("verifier", "vouch", job, value=VERIFIER_BOND)
        return job

    def announce(self, name: str, index: int, right: bytes, job: int = 0) -> None:
        types = ["uint256", "address", "uint16", "bytes32", "bytes32"]
        values = [job, self.world.user(name), index, keccak256(right), SALT]
        self.send(name, "announce", keccak256(encode(types, values)))
        self.world.height += 1

    def challenge(
        self,
        name: str,
        index: int,
        outputs: list[bytes],
        job: int = 0,
        **changes: Any,
    ) -> Done:
        given = Dataset(outputs, [0] * len(outputs))
        item = {
            "place": index,
            "input": ITEMS[index],
            "input_path": INPUTS.batch(index, 0).path,
            "output": outputs[index],
            "output_path": given.batch(index, 0).path,
        } | changes
        return self.send(name, "challenge", job, tuple(item.values()), SALT)

    def stage(self, job: int = 0) -> int:
        return int(self.escrow.view("jobAt", job)[1])

    def owed(self, *names: str) -> tuple[int, ...]:
        return tuple(self.escrow.view("owed", self.world.user(name)) for name in names)

    def error(self, name: str, *values: Any) -> bytes:
        return self.escrow.error(name, *values)


def escrow() -> Escrow:
    world = LibraryWorld({MODEL: FakeModel(add, 2, 1)})
    return Escrow(world, world.deploy("VerifierEscrow"))


def wrong(index: int) -> list[bytes]:
    """Return answers of which one is wrong."""
    return [*RIGHT[:index], b"\x63", *RIGHT[index + 1 :]]
