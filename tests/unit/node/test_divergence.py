"""A validator whose roots differ withholds its vote; with a wrong backend, until a restart."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from consensus.block import Block
from consensus.block_execution import CheckedBlock, Proposal
from consensus.certificate import CommitCertificate
from consensus.qbft.events import BlockChecked, Started
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import (
    Commit,
    CommitPayload,
    Message,
    Prepare,
    PreparePayload,
    ProposalPayload,
)
from consensus.qbft.messages import Proposal as ProposalMessage
from consensus.qbft.signing import KeySigner, SigningDomain
from cvm.evm.transaction_decoding import decode_transaction
from cvm.faults import DatabaseFault
from cvm.inference.backends.backend import Backend, Plan, Trace
from cvm.inference.backends.table import backend_named
from cvm.inference.graph import Graph, Node
from cvm.inference.tensor_type import Array
from node import consensus_driver
from node.block_writer import BlockWriter
from node.chain import Chain
from node.consensus_driver import ConsensusDriver
from node.demo_contract import classify_data
from node.sample_models import sample_model_path
from node.service import consensus_rules
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey
from node.vote_log import VoteLog
from tests.chain_world import CHAIN_ID, USER, address_of, final_block, signed
from tests.four_validators import KEYS, FourWorld, genesis_json

OURS = 3
TIMEOUT_S = 60
GENESIS = genesis_json()


def flipped(array: Array) -> Array:
    """Return an array with one bit of it wrong."""
    data = np.frombuffer(array.tobytes(), np.uint8).copy()
    data[0] ^= 1
    return data.view(array.dtype).reshape(array.shape)


@dataclass
class FlippingBackend:
    """The reference backend with a bit wrong in the last node, in those runs that `runs` names."""

    name: str = "flipping"
    runs: frozenset[int] | None = frozenset()
    """None: in every run."""
    count: int = 0

    def plan(self, graph: Graph) -> Plan:
        return FlippingPlan(self, backend_named("reference").plan(graph), graph.nodes[-1])

    def flips_now(self) -> bool:
        self.count += 1
        return self.runs is None or self.count in self.runs


@dataclass
class FlippingPlan:
    backend: FlippingBackend
    honest: Plan
    last: Node

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        flips = self.backend.flips_now()

        def traced(node: Node, outputs: tuple[Array, ...]) -> None:
            if trace is not None:
                wrong = flips and node is self.last
                trace(node, tuple(map(flipped, outputs)) if wrong else outputs)

        first, *rest = self.honest.run(inputs, traced)
        return (flipped(first) if flips else first, *rest)


@dataclass
class Sent:
    """What the validator sent."""

    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message, _parent: CommitCertificate | None) -> None:
        self.messages.append(message)

    def relay(self, _message: Message, _parent: CommitCertificate | None, _sender: bytes) -> None:
        """Nobody else listens."""

    def send_block(self, _height: int, _peer: bytes) -> None:
        """Nobody is behind."""

    def catch_up(self, _height: int, _peer: bytes) -> None:
        """Nobody is ahead."""

    def report(self, _evidence: Evidence) -> None:
        """Nobody double votes."""

    def blame(self, _peer: bytes, reason: str) -> None:
        raise AssertionError(reason)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FourWorld]:
    world = honest_world(tmp_path_factory.mktemp("honest"))
    yield world
    world.close()


def honest_world(folder: Path) -> FourWorld:
    """Make a chain with a model and a contract that runs it."""
    world = FourWorld(folder, GENESIS)
    world.model_id = world.register_model()  # type: ignore[attr-defined]
    world.contract = world.deploy_classifier(world.model_id)  # type: ignore[attr-defined]
    return world


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, honest: FourWorld) -> None:
    due_ms = (honest.chain.head.timestamp + 1) * 1_000
    monkeypatch.setattr(consensus_driver, "now_ms", lambda: due_ms)


def follower(folder: Path, honest: FourWorld, backend: Backend) -> FourWorld:
    """Return another node's world with the same chain."""
    world = FourWorld(folder, GENESIS, backend)
    for model_id in honest.store.list_models():
        world.store.add_file(honest.store.read(model_id))
    first = world.chain.head.block_number + 1
    for number in range(first, honest.chain.head.block_number + 1):
        world.chain.import_block(*final_block(honest, number))
    return world


def candidate(honest: FourWorld) -> tuple[CheckedBlock, bytes]:
    """Return a block that classifies a digit, from who is to propose it, and its transaction."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    data = classify_data(bytes(images[0].tobytes()))
    raw = signed(USER, honest.nonce, to=honest.contract, data=data)  # type: ignore[attr-defined]
    proposal = Proposal(address_of(proposer_key(honest.chain)), 0)
    checked, left_out = honest.chain.build(proposal, [decode_transaction(raw)])
    assert left_out == ()
    assert len(checked.inferences) == 1
    return checked, checked.block.transactions[0].hash


def proposer_key(chain: Chain) -> Any:
    validators = chain.validators()
    last = chain.head.coinbase
    start = validators.index(last) if last in validators else -1
    return next(key for key in KEYS if address_of(key) == validators[(start + 1) % len(validators)])


def proposal_of(chain: Chain, block: Block) -> ProposalMessage:
    payload = ProposalPayload(block.number, 0, block.encode())
    return ProposalMessage(payload, sign(chain, proposer_key(chain), payload), (), ())


def sign(chain: Chain, key: Any, payload: Any) -> bytes:
    domain = SigningDomain(chain.domain.chain_id, chain.domain.genesis_hash)
    return KeySigner(key.to_bytes()).sign(domain.digest(payload.CODE, payload.encode()))


def votes_for(chain: Chain, block: Block) -> list[Message]:
    """Return prepares and commits of the three others."""
    said: list[Message] = []
    for key in KEYS[:OURS]:
        prepare = PreparePayload(block.number, 0, block.hash)
        said.append(Prepare(prepare, sign(chain, key, prepare)))
    for key in KEYS[:OURS]:
        sealed = KeySigner(key.to_bytes()).sign(chain.domain.digest(block.number, 0, block.hash))
        commit = CommitPayload(block.number, 0, block.hash, sealed)
        said.append(Commit(commit, sign(chain, key, commit)))
    return said


def take_part(
    world: FourWorld,
    folder: Path,
    block: Block,
    *,
    until_final: bool,
    until: Callable[[], object] = lambda: None,
) -> list[Message]:
    """Hand a proposal to the driver of the fourth validator; return what it sent.

    It ends when the block has been judged and `until` returns, on another thread. With
    `until_final` the votes of the others follow, and it ends when the next height has begun.
    """
    sent = Sent()

    async def drive() -> None:
        chain, writer = world.chain, BlockWriter(world.chain)
        started, checked, final = asyncio.Event(), asyncio.Event(), asyncio.Event()
        votes = VoteLog(folder / "votes", chain.domain.genesis_hash)
        driver = ConsensusDriver(
            chain,
            writer,
            TransactionPool(CHAIN_ID),
            consensus_rules(chain, LocalKey(KEYS[OURS])),
            votes,
            sent,
            asyncio.Event(),
        )
        take = driver._take

        async def taken(event: Any) -> None:
            await take(event)
            if isinstance(event, Started):
                (started if event.context.height == block.number else final).set()
            if isinstance(event, BlockChecked):
                checked.set()

        driver._take = taken  # type: ignore[method-assign]
        parent = chain.certificate_at(block.number - 1)
        try:
            async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(driver.run())
                await started.wait()
                driver.receive(proposal_of(chain, block), parent, b"peer")
                await checked.wait()
                if until_final:
                    for message in votes_for(chain, block):
                        driver.receive(message, None, b"peer")
                    await final.wait()
                await asyncio.to_thread(until)
                running.cancel()
        finally:
            writer.close()
            votes.close()

    asyncio.run(drive())
    return sent.messages


@pytest.mark.usefixtures("clock")
def test_a_validator_that_agrees_prepares(honest: FourWorld, tmp_path: Path) -> None:
    block = candidate(honest)[0].block
    world = follower(tmp_path, honest, FlippingBackend())
    (prepare,) = take_part(world, tmp_path, block, until_final=False)
    world.close()
    assert isinstance(prepare, Prepare)
    assert prepare.payload.digest == block.hash
    assert world.host.quarantined is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(None, id="always"),
        pytest.param(1, id="only once"),
    ],
)
def test_a_wrong_backend_withholds_its_vote_says_where_and_follows_the_others(
    honest: FourWorld, tmp_path: Path, runs: int | None
) -> None:
    checked, tx_hash = candidate(honest)
    backend = FlippingBackend()
    world = follower(tmp_path, honest, backend)
    world.host.model(honest.model_id)  # type: ignore[attr-defined]
    backend.runs = None if runs is None else frozenset({backend.count + runs})
    with structlog.testing.capture_logs() as logged:
        sent = take_part(world, tmp_path, checked.block, until_final=True)
    world.close()
    assert sent == []
    assert world.host.quarantined == "flipping"
    assert world.host.backend_name == "reference"
    assert world.chain.head.hash == checked.block.hash
    line = next(line for line in logged if line["event"] == "inference diverges")
    assert line["tx"] == f"0x{tx_hash.hex()}"
    assert line["model_id"] == f"0x{honest.model_id.hex()}"  # type: ignore[attr-defined]
    if runs is None:
        assert isinstance(line["node"], int)
        assert line["reference"] != line["ours"]
    else:
        assert line["node"] == "not seen again"
    assert any(line["event"] == "votes withheld until a restart" for line in logged)


@pytest.mark.usefixtures("clock")
def test_a_restart_lifts_the_quarantine(honest: FourWorld, tmp_path: Path) -> None:
    block = candidate(honest)[0].block
    backend = FlippingBackend()
    world = follower(tmp_path, honest, backend)
    world.host.model(honest.model_id)  # type: ignore[attr-defined]
    backend.runs = frozenset({backend.count + 1})
    assert take_part(world, tmp_path, block, until_final=False) == []
    world.close()
    again = FourWorld(tmp_path, GENESIS, FlippingBackend())
    (prepare,) = take_part(again, tmp_path, block, until_final=False)
    again.close()
    assert isinstance(prepare, Prepare)
    assert prepare.payload.digest == block.hash


def guilty_block(honest: FourWorld, folder: Path) -> Block:
    """Return a block whose proposer's backend was wrong."""
    proposer = FlippingBackend()
    guilty = follower(folder, honest, proposer)
    guilty.host.model(honest.model_id)  # type: ignore[attr-defined]
    guilty.contract, guilty.nonce = honest.contract, honest.nonce  # type: ignore[attr-defined]
    proposer.runs = None
    block = candidate(guilty)[0].block
    guilty.close()
    return block


@pytest.mark.usefixtures("clock")
def test_a_wrong_proposal_gets_no_vote_and_no_quarantine(honest: FourWorld, tmp_path: Path) -> None:
    block = guilty_block(honest, tmp_path / "guilty")
    world = follower(tmp_path / "ours", honest, FlippingBackend())
    with structlog.testing.capture_logs() as logged:
        sent = take_part(world, tmp_path / "ours", block, until_final=False)
    world.close()
    assert sent == []
    assert world.host.quarantined is None
    refused = [line for line in logged if line["event"] == "proposal refused"]
    assert len(refused) == 1
    assert f"0x{honest.model_id.hex()}" in refused[0]["reason"]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("clock")
def test_a_block_that_runs_a_model_which_is_not_here_gets_no_vote(
    honest: FourWorld, tmp_path: Path
) -> None:
    block = candidate(honest)[0].block
    world = follower(tmp_path, honest, FlippingBackend())
    (tmp_path / "models" / f"{honest.model_id.hex()}.onnx").unlink()  # type: ignore[attr-defined]
    with structlog.testing.capture_logs() as logged:
        sent = take_part(world, tmp_path, block, until_final=False)
    world.close()
    assert sent == []
    assert [line["event"] for line in logged].count("not ready") == 1
    assert not any(line["event"] == "proposal refused" for line in logged)


@pytest.mark.usefixtures("clock")
def test_what_cannot_be_saved_is_not_sent(
    honest: FourWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = candidate(honest)[0].block
    world = follower(tmp_path, honest, FlippingBackend())
    sent = Sent()

    def full(_votes: VoteLog, _height: int, _records: object) -> None:
        raise DatabaseFault("cannot write the vote log: No space left on device")

    monkeypatch.setattr(VoteLog, "save", full)
    monkeypatch.setitem(globals(), "Sent", lambda: sent)
    with pytest.raises(ExceptionGroup) as caught:
        take_part(world, tmp_path, block, until_final=True)
    world.close()
    assert caught.group_contains(DatabaseFault, match="No space left")
    assert sent.messages == []
