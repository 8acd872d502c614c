"""A Tournament over models that are known to be wrong on so many rows."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from tests.unit.models_registry.contract_world import Contract, Done
from tests.unit.models_registry.measured import (
    CLASS_OF_BYTE,
    Measured,
    measured,
    model_id,
    reader,
    rows_of,
)

ROWS = rows_of(16)
BENCHMARK, MARGIN, CAP = 8, 4, 2_500
COMMIT_END, REVEAL_END, PUBLISH_END, SCORE_END = 10, 20, 30, 40
SALT = b"\x5a" * 32
PRIZE = 1_000_000
STAKE = 10_000
NOBODY = bytes(20)


def known(number: int) -> bytes:
    """Return the id of the model that is wrong on the rows below a number."""
    return model_id(number + 1)


@dataclass(slots=True)
class Played:
    """A tournament over known models."""

    measured: Measured
    tournament: Contract
    rows_id: bytes

    def user(self, name: str) -> bytes:
        return self.measured.world.user(name)

    def at(self, height: int) -> None:
        self.measured.world.height = height

    def open(self, *, prize: int = PRIZE, **changes: Any) -> int:
        terms = {
            "rows": self.rows_id,
            "rule": CLASS_OF_BYTE,
            "benchmark": BENCHMARK,
            "margin": MARGIN,
            "cap": CAP,
            "commit": COMMIT_END,
            "reveal": REVEAL_END,
            "publish": PUBLISH_END,
            "score": SCORE_END,
            "least": 100,
        } | changes
        done = self.tournament.send(
            self.user("organiser"), "open", tuple(terms.values()), value=prize
        )
        return int(self.tournament.result("open", done))

    def commit(self, name: str, model: int, stake: int = STAKE, round_id: int = 0) -> Done:
        secret = ["uint256", "address", "bytes32", "bytes32"]
        opened = encode(secret, [round_id, self.user(name), known(model), SALT])
        return self.tournament.send(
            self.user(name), "commit", round_id, keccak256(opened), value=stake
        )

    def reveal(self, name: str, model: int, round_id: int = 0, salt: bytes = SALT) -> Done:
        return self.tournament.send(self.user(name), "reveal", round_id, known(model), salt)

    def certify(self, *models: int) -> None:
        for model in models:
            self.measured.certify(known(model), self.rows_id, ROWS)

    def publish(self, certificate: bytes, round_id: int = 0) -> Done:
        return self.tournament.send(self.user("organiser"), "publish", round_id, certificate)

    def score(self, name: str, round_id: int = 0) -> Done:
        return self.tournament.send(self.user("anyone"), "score", round_id, self.user(name))

    def settle(self, name: str, round_id: int = 0) -> tuple[int, int]:
        done = self.tournament.send(self.user("anyone"), "settle", round_id, self.user(name))
        _, _, gain, loss = self.tournament.events(done, "Settled")[0]
        return gain, loss

    def close(self, round_id: int = 0) -> int:
        done = self.tournament.send(self.user("anyone"), "close", round_id)
        return int(self.tournament.events(done, "RoundClosed")[0][1])

    def owed(self, name: str) -> int:
        return int(self.tournament.view("owed", self.user(name)))

    def burned(self) -> int:
        return self.measured.world.balance(NOBODY)

    def error(self, name: str, *values: Any) -> bytes:
        return self.tournament.error(name, *values)

    def play(self, entries: dict[str, int], stake: int = STAKE) -> None:
        """Commit, reveal, publish and score the entries, and end the round."""
        for name, model in entries.items():
            self.commit(name, model, stake)
        self.at(COMMIT_END + 1)
        for name, model in entries.items():
            self.reveal(name, model)
        self.at(REVEAL_END + 1)
        self.certify(*sorted(set(entries.values())))
        for name in entries:
            self.score(name)
        self.at(SCORE_END + 1)


def played() -> Played:
    found = measured({known(n): reader(n) for n in range(17)})
    tournament = found.world.deploy("Tournament", found.evaluator.address)
    return Played(found, tournament, found.register(ROWS))
