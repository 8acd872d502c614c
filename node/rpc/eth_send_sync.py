"""The eth_ method that sends a transaction and answers with its receipt (EIP-7966)."""

import asyncio

from node.rpc.caller import Caller
from node.rpc.encoding import data
from node.rpc.events import NewHead
from node.rpc.faults import TransactionNotIncluded
from node.rpc.parameters import Data, OptionalCount
from node.rpc.registry import JsonText, rpc_method
from node.rpc.turns import Slices
from node.rpc.written_logs import receipt_text

DEFAULT_TIMEOUT_MS = 20_000
MAX_TIMEOUT_MS = 25_000
"""Below the time that one request may take."""


@rpc_method("eth_sendRawTransactionSync")
async def send_raw_transaction_sync(
    caller: Caller, raw_transaction: Data, timeout_ms: OptionalCount = None
) -> JsonText | None:
    """Put a signed transaction into the pool and return its receipt once it is in a block."""
    chosen_ms = min(timeout_ms or DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)
    included: asyncio.Future[NewHead] = asyncio.get_running_loop().create_future()
    sent: list[bytes] = []

    def look(head: NewHead) -> None:
        if not included.done() and any(tx.hash in sent for tx in head.transactions):
            included.set_result(head)

    end = caller.node.events.on_head(look)
    try:
        sent.append(await caller.chain.submit(raw_transaction))
        async with asyncio.timeout(chosen_ms / 1_000):
            head = await included
    except TimeoutError:
        raise TransactionNotIncluded(chosen_ms, data(sent[0])) from None
    finally:
        end()
    return await _receipt(caller, head, sent[0])


async def _receipt(caller: Caller, head: NewHead, tx_hash: bytes) -> JsonText | None:
    block = caller.chain.block_by_hash(head.header.hash)
    if block is None:
        return None
    index = [tx.hash for tx in head.transactions].index(tx_hash)
    return await receipt_text(block, head.receipts, index, Slices())
