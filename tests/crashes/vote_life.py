"""One life of a validator under attack: the real driver, vote log and chain, until it is killed."""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from consensus.certificate import CommitCertificate
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from consensus.qbft.events import (
    Action,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    CheckBlock,
    Event,
    Received,
    Started,
)
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import Message
from consensus.qbft.rules import Rules
from consensus.qbft.signing import KeySigner
from consensus.qbft.state import State
from consensus.qbft.step import step
from cvm.evm.private_key import PrivateKey
from cvm.inference.backends.table import backend_named
from models_registry.genesis import RegistryParameters
from node import consensus_driver
from node.block_writer import BlockWriter
from node.chain import Chain, init_chain
from node.consensus_driver import ConsensusDriver
from node.inference_host import NodeInferenceHost
from node.service import consensus_rules
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey
from node.vote_log import VoteLog
from tests.crashes.attackers import Attackers
from tests.crashes.children import Report
from tests.crashes.kill_points import KillPlan, KillPoints

KEYS = [PrivateKey(bytes([0x61 + index]) * 32) for index in range(4)]  # TEST keys
SIGNERS = [KeySigner(key.to_bytes()) for key in KEYS]
GENESIS_TIME = 1_700_000_000
MOST_MOVES = 200
LIFE_TIMEOUT_S = 30
AFTER_SIGNING, IN_SAVE, IN_COMMIT, BEFORE_SEND, BETWEEN_SENDS = (
    "after signing, before the save",
    "in the save",
    "in the commit of the save",
    "after the save, before the send",
    "between two sends",
)
KINDS = {AFTER_SIGNING: 6, IN_SAVE: 24, IN_COMMIT: 6, BEFORE_SEND: 8, BETWEEN_SENDS: 8}
"""Where a life ends, and at most at which passing."""


def genesis_json() -> bytes:
    """Return the genesis file of a chain with four validators; the attacked one is the first."""
    document = new_genesis(
        ChainParameters(chain_id=1_911, period_s=1),
        [signer.address for signer in SIGNERS],
        {},
        GENESIS_TIME,
        RegistryParameters().with_delays(1),
    )
    return json.dumps(document).encode()


def plan_of(random: Random) -> KillPlan:
    """Choose where a life ends."""
    kind = random.choice(list(KINDS))
    delay_s = random.random() * 0.004 if kind == IN_COMMIT else 0
    return KillPlan(kind, random.randint(1, KINDS[kind]), delay_s)


def live(folder: Path, seed: int, life: int, report: Report, *, forgets: bool = False) -> None:
    """Take part in consensus on what the folder holds, and be killed; `forgets` plants a bug."""
    random = Random(f"{seed} {life}")
    points = KillPoints(plan_of(random), report)
    database = ChainDatabase(folder / "chain")
    init_chain(database, genesis_json())
    host = NodeInferenceHost(ModelStore(folder / "models"), backend_named("reference"))
    chain = Chain(database, host)
    if forgets:
        plant_forgetting()
    plant_points(points)
    asyncio.run(Attack(chain, folder, random, life, points, report).run())
    report("killed at-rest")
    os.kill(os.getpid(), signal.SIGKILL)


def plant_points(points: KillPoints) -> None:
    """Make every save of the vote log pass the places of its kinds."""
    log: Any = VoteLog
    for name in ("_note_signed", "_append", "_forget_before"):
        points.wrap(log, name, IN_SAVE, IN_SAVE)
    points.wrap(log, "_forget_before", None, IN_COMMIT)
    points.wrap(log, "save", AFTER_SIGNING, BEFORE_SEND)


def plant_forgetting() -> None:
    """Break the vote log: it returns nothing, and refuses nothing."""
    log: Any = VoteLog
    log.records = lambda _self, _height: ()
    log._note_signed = lambda _self, _transaction, _message: None


@dataclass
class PipeGossip:
    """What the validator sends goes into the pipe, where no kill takes it back."""

    points: KillPoints
    tell: Report

    def send(self, message: Message, _parent: CommitCertificate | None) -> None:
        """Send a message: from here on the world has it."""
        self.points.passed(BEFORE_SEND, "before send")
        self.tell(f"sent {message.payload.CODE} {message.encode().hex()}")
        self.points.passed(BETWEEN_SENDS, "after send")

    def relay(self, _message: Message, _parent: CommitCertificate | None, _sender: bytes) -> None:
        """Do nothing: the others conspire anyway."""

    def send_block(self, _height: int, _peer: bytes) -> None:
        """Do nothing."""

    def catch_up(self, _height: int, _peer: bytes) -> None:
        """Do nothing."""

    def report(self, _evidence: Evidence) -> None:
        """Do nothing: who conspires does not accuse."""

    def blame(self, _peer: bytes, reason: str) -> None:
        """Tell the reason: an attack that is refused is a fault of the test."""
        self.tell(f"blamed {reason.replace(' ', '-')}")


class Attack:
    """Runs the driver and hands it what the attackers say, one move after another."""

    def __init__(
        self,
        chain: Chain,
        folder: Path,
        random: Random,
        life: int,
        points: KillPoints,
        report: Report,
    ) -> None:
        self._chain = chain
        self._folder = folder
        self._random = random
        self._jitter_s = life % 3
        self._points = points
        self._report = report
        self._state: State | None = None
        self._stepped = asyncio.Event()
        self._handed_in = self._received = self._checks = self._builds = 0

    async def run(self) -> None:
        """Attack until the validator is killed, or for `MOST_MOVES` moves."""
        module: Any = consensus_driver
        module.step, module.now_ms = self._observed, self._now_ms
        chain, genesis_hash = self._chain, self._chain.domain.genesis_hash
        writer = BlockWriter(chain)
        driver = ConsensusDriver(
            chain,
            writer,
            TransactionPool(chain.parameters.chain_id),
            consensus_rules(chain, LocalKey(KEYS[0])),
            VoteLog(self._folder / "votes", genesis_hash),
            PipeGossip(self._points, self._report),
            asyncio.Event(),
        )
        attackers = Attackers(chain, writer, SIGNERS[1:], self._random)
        async with asyncio.timeout(LIFE_TIMEOUT_S), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(driver.run())
            for _ in range(MOST_MOVES):
                await self._settle()
                await self._move(driver, attackers)
            running.cancel()
        writer.close()

    async def _move(self, driver: ConsensusDriver, attackers: Attackers) -> None:
        state = self._state
        if state is None:
            return
        for offer in await attackers.offers(state):
            for height, round_number, digest in offer.shown():
                self._report(f"offered {height} {round_number} {digest.hex()}")
            self._handed_in += 1
            driver.receive(offer.message, offer.parent_certificate, b"attacker")

    async def _settle(self) -> None:
        """Wait until the validator has nothing left to do but to wait."""
        while not self._is_idle():
            self._stepped.clear()
            await self._stepped.wait()

    def _is_idle(self) -> bool:
        state = self._state
        return (
            state is not None
            and not state.is_decided
            and state.height == self._chain.head.block_number + 1
            and self._received >= self._handed_in
            and self._checks <= 0
            and self._builds <= 0
        )

    def _observed(
        self, rules: Rules, state: State | None, event: Event
    ) -> tuple[State | None, tuple[Action, ...]]:
        """Make the step, and note what is under way after it."""
        after, actions = step(rules, state, event)
        self._state = after
        if isinstance(event, Started):
            self._checks = self._builds = 0
        self._received += isinstance(event, Received)
        self._checks -= isinstance(event, BlockChecked)
        self._builds -= isinstance(event, BlockBuilt)
        self._checks += sum(isinstance(action, CheckBlock) for action in actions)
        self._builds += sum(isinstance(action, BuildBlock) for action in actions)
        self._stepped.set()
        return after, tuple(actions)

    def _now_ms(self) -> int:
        """Return a time at which the next block is due; each life's differs from the last one's."""
        head = self._chain.head
        return (head.timestamp + self._chain.parameters.period_s + self._jitter_s) * 1_000
