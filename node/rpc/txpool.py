"""The txpool_ methods: what the pool holds, in go-ethereum's forms."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from cvm.evm.transaction import Transaction
from node.checksum_address import checksum_address
from node.pool.content import BySender, PoolContent
from node.rpc.chain_view import EthView
from node.rpc.encoding import quantity, transaction_object
from node.rpc.faults import LimitExceeded
from node.rpc.parameters import Address
from node.rpc.registry import JsonValue, rpc_method

MAX_CONTENT_BYTES = 10 << 20
"""Of transactions in one answer, whose JSON is two to six times as long."""

TURN = 256
"""After so many transactions others get a turn on the event loop."""

Form = Callable[[Transaction], JsonValue]


@rpc_method("txpool_status")
async def status(chain: EthView) -> JsonValue:
    """Return how many transactions are pending, and how many queued."""
    counts = chain.pool_status()
    return {"pending": quantity(counts.pending), "queued": quantity(counts.queued)}


@rpc_method("txpool_content", is_long=True)
async def content(chain: EthView) -> JsonValue:
    """Return every transaction of the pool by sender and nonce."""
    return await _by_sender(chain.pool_content(), _whole)


@rpc_method("txpool_contentFrom", is_long=True)
async def content_from(chain: EthView, address: Address) -> JsonValue:
    """Return the transactions of one sender by nonce."""
    found = _within_bounds(chain.pool_content_from(address))
    return {
        "pending": await _by_nonce(found.pending.get(address, ()), _whole),
        "queued": await _by_nonce(found.queued.get(address, ()), _whole),
    }


@rpc_method("txpool_inspect", is_long=True)
async def inspect(chain: EthView) -> JsonValue:
    """Return a line of text for every transaction of the pool, by sender and nonce."""
    return await _by_sender(chain.pool_content(), summary)


def summary(tx: Transaction) -> str:
    """Return a transaction in the words of go-ethereum's txpool_inspect."""
    to = checksum_address(tx.to) if tx.to else "contract creation"
    return f"{to}: {tx.value} wei + {tx.gas} gas × {tx.gas_price} wei"  # noqa: RUF001


def _whole(tx: Transaction) -> JsonValue:
    return transaction_object(tx, None, None)


async def _by_sender(found: PoolContent, form: Form) -> JsonValue:
    _within_bounds(found)
    return {
        "pending": await _of_senders(found.pending, form),
        "queued": await _of_senders(found.queued, form),
    }


async def _of_senders(senders: BySender, form: Form) -> Mapping[str, JsonValue]:
    return {
        checksum_address(address): await _by_nonce(transactions, form)
        for address, transactions in senders.items()
    }


async def _by_nonce(transactions: Sequence[Transaction], form: Form) -> Mapping[str, JsonValue]:
    shown: dict[str, JsonValue] = {}
    for start in range(0, len(transactions), TURN):
        for tx in transactions[start : start + TURN]:
            shown[str(tx.nonce)] = form(tx)
        await asyncio.sleep(0)
    return shown


def _within_bounds(found: PoolContent) -> PoolContent:
    lists = [*found.pending.values(), *found.queued.values()]
    size = sum(len(tx.raw) for transactions in lists for tx in transactions)
    if size > MAX_CONTENT_BYTES:
        raise LimitExceeded(
            f"the pool holds {size} bytes of transactions, one answer {MAX_CONTENT_BYTES}: "
            "ask for one sender with txpool_contentFrom"
        )
    return found
