"""Every block of execution-apis' chain runs again, watched and not, with the receipts it has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consensus.ethereum.ethereum_block import split_blocks
from cvm.evm.message_call import SimulatedTransaction
from cvm.evm.messages import Message, Outcome
from cvm.evm.tracer import TracedFrame, Tracer
from node.ethereum_archive import import_ethereum_blocks, init_ethereum_chain
from node.execution.ethereum_chain import EthereumExecutionChain
from node.execution.execution_chain import CannotCallHere, UnknownBlock
from node.execution.messages import call_message
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase
from tests.conformance.archives import files_of, require_suite

HEAD = 54
CALLENV = bytes.fromhex("9344b07175800259691961298ca11c824e65032d")
BLOCKS_WITH_TRANSACTIONS = 50


class CountingTracer:
    """Counts what it is told, and checks that beginnings and ends are as many."""

    def __init__(self) -> None:
        self.entered = self.left = self.steps = 0

    def enter(self, message: Message, opcode: int | None, depth: int) -> None:
        assert (opcode is None) == (depth == 0)
        assert message.gas >= 0
        self.entered += 1

    def step(self, frame: TracedFrame, opcode: int) -> None:
        assert 0 <= opcode <= 255
        assert frame.gas >= 0
        assert all(0 <= word < 1 << 256 for word in frame.stack)
        assert frame.world.account(frame.address).balance >= 0
        self.steps += 1

    def exit(self, outcome: Outcome, depth: int) -> None:
        assert outcome.gas_left >= 0
        assert depth >= 0
        self.left += 1

    def fault(self, frame: TracedFrame, error: str) -> None:
        assert frame.pc >= 0
        assert error


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[EthereumExecutionChain, ChainDatabase]]:
    parts = {Path(name).name: data for name, data in files_of(require_suite("rpc-compat"))}
    database = ChainDatabase(tmp_path_factory.mktemp("replay") / "chain")
    recovery = SenderRecovery()
    forks = init_ethereum_chain(database, parts["genesis.json"])
    import_ethereum_blocks(database, forks, split_blocks(parts["chain.rlp"]), recovery)
    recovery.close()
    yield EthereumExecutionChain(database, forks), database
    database.close()


@pytest.mark.parametrize("watched", [False, True], ids=["unwatched", "watched"])
def test_every_block_runs_again_with_its_receipts(
    chain: tuple[EthereumExecutionChain, ChainDatabase], watched: bool
) -> None:
    execution, database = chain
    compared = steps = 0
    for number in range(1, HEAD + 1):
        header = execution.header_at(number)
        assert header is not None
        with execution.replay(header.hash) as replay:
            for tx, receipt in zip(
                replay.transactions, database.receipts(header.hash), strict=True
            ):
                tracer = CountingTracer()
                watching: Tracer | None = tracer if watched else None
                result = replay.apply(tx, watching)
                assert result.receipt.cumulative_gas_used == receipt.cumulative_gas_used
                assert result.receipt.logs == receipt.logs
                assert tracer.entered == tracer.left
                assert (tracer.entered > 0) == watched
                steps += tracer.steps
                compared += 1
    assert compared > BLOCKS_WITH_TRANSACTIONS
    assert (steps > 0) == watched


def test_genesis_and_unknown_blocks_cannot_run_again(
    chain: tuple[EthereumExecutionChain, ChainDatabase],
) -> None:
    execution, _database = chain
    genesis = execution.header_at(0)
    assert genesis is not None
    for block_hash in (genesis.hash, b"\7" * 32):
        with pytest.raises(UnknownBlock), execution.replay(block_hash):
            pass


def test_a_call_sees_the_number_and_chain_of_its_block(
    chain: tuple[EthereumExecutionChain, ChainDatabase],
) -> None:
    execution, _database = chain
    message = SimulatedTransaction(bytes(20), CALLENV, 1_000_000, 0, 0, b"")
    output = call_message(execution, execution.head(), message).output
    assert int.from_bytes(output[:32], "big") == HEAD
    assert int.from_bytes(output[32:64], "big") == execution.chain_id


def test_a_call_on_a_block_of_proof_of_work_is_refused(
    chain: tuple[EthereumExecutionChain, ChainDatabase],
) -> None:
    execution, _database = chain
    header = execution.header_at(10)
    assert header is not None
    message = SimulatedTransaction(bytes(20), CALLENV, 1_000_000, 0, 0, b"")
    with pytest.raises(CannotCallHere, match="block 10 follows Byzantium"):
        call_message(execution, header, message)
