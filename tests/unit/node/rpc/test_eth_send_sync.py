"""eth_sendRawTransactionSync: the receipt once there is one, and the error of EIP-7966."""

import asyncio

import pytest

from cvm.evm.transaction import Transaction
from node.rpc.caller import Caller, rpc_node
from node.rpc.events import ChainEvents, NewHead
from tests.unit.node.rpc.fake_chain import GWEI, FakeChain, legacy_tx, receipt, small_chain
from tests.unit.node.rpc.rpc_caller import call

TIMEOUT_S = 10
TX = legacy_tx(6, 2 * GWEI)


class TakingChain(FakeChain):
    """A chain that keeps what is sent, and tells when it has come."""

    def __init__(self) -> None:
        known = small_chain()
        super().__init__(known.blocks, known.receipts_of)
        self.taken = asyncio.Event()

    async def submit(self, raw_transaction: bytes) -> bytes:
        await super().submit(raw_transaction)
        self.taken.set()
        return TX.hash


def add_block(chain: FakeChain, events: ChainEvents, *transactions: Transaction) -> None:
    receipts = [receipt(tx, 21_000 * place) for place, tx in enumerate(transactions, start=1)]
    block = chain.add_block(transactions, receipts)
    events.new_head(NewHead(block.header, block.transactions, receipts))


def test_the_receipt_comes_with_the_block_that_has_the_transaction() -> None:
    async def run() -> None:
        chain, events = TakingChain(), ChainEvents()
        caller = Caller(rpc_node(chain, lambda: 0.0, events))
        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            raw = "0x" + TX.encode().hex()
            asked = tasks.create_task(call(caller, "eth_sendRawTransactionSync", raw))
            await chain.taken.wait()
            add_block(chain, events, legacy_tx(0, 2 * GWEI))
            add_block(chain, events, legacy_tx(1, 2 * GWEI), TX)
        found = asked.result()["result"]
        assert isinstance(found, dict)
        assert found["transactionHash"] == "0x" + TX.hash.hex()
        assert (found["blockNumber"], found["transactionIndex"]) == ("0x5", "0x1")

    asyncio.run(run())


@pytest.mark.parametrize("timeout", [pytest.param(20, id="number"), pytest.param("0x14", id="hex")])
def test_a_transaction_that_no_block_takes_is_named_in_the_error(timeout: object) -> None:
    async def run() -> None:
        caller = Caller(rpc_node(TakingChain(), lambda: 0.0, ChainEvents()))
        raw = "0x" + TX.encode().hex()
        response = await call(caller, "eth_sendRawTransactionSync", raw, timeout)
        assert response["error"] == {
            "code": 4,
            "message": "The transaction was added to the transaction pool "
            "but wasn't processed in 0.02s",
            "data": "0x" + TX.hash.hex(),
        }

    asyncio.run(run())


def test_a_transaction_that_is_refused_is_not_waited_for() -> None:
    async def run() -> None:
        caller = Caller(rpc_node(TakingChain(), lambda: 0.0, ChainEvents()))
        response = await call(caller, "eth_sendRawTransactionSync", "0x")
        assert response["error"] == {
            "code": -32000,
            "message": "rlp: cannot decode transaction: no bytes",
        }

    asyncio.run(run())
