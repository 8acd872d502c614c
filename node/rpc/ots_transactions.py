"""The ots_ methods about transactions and contracts, level 8 of Otterscan's API."""

from node.rpc.block_lookup import find_header, require_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, header_fields
from node.rpc.faults import ServerError
from node.rpc.json_value import JsonValue
from node.rpc.ots_blocks import AnyBlock
from node.rpc.parameters import Address, BlockTag, Count, Hash
from node.rpc.registry import rpc_method
from node.tracing.otterscan_jobs import (
    ContractCreatorJob,
    OtterscanTrace,
    OtterscanTraceJob,
    SenderNonceJob,
)

API_LEVEL = 8


@rpc_method("ots_getApiLevel")
async def get_api_level(chain: EthView) -> int:  # noqa: ARG001 - the same for every chain
    """Return the level of this API, by which Otterscan knows whether it can use a node."""
    return API_LEVEL


@rpc_method("erigon_getHeaderByNumber")
async def get_header_by_number(chain: EthView, block: AnyBlock) -> JsonValue:
    """Return a header, as Otterscan asks for one before anything else; null if not known."""
    header = find_header(chain, block)
    return None if header is None else header_fields(header)


@rpc_method("ots_hasCode")
async def has_code(chain: EthView, address: Address, block: AnyBlock = BlockTag.LATEST) -> bool:
    """Return whether an account has code after a block."""
    return bool(chain.state_at(require_header(chain, block)).code(address))


@rpc_method("ots_traceTransaction")
async def trace_transaction(chain: EthView, tx_hash: Hash) -> JsonValue:
    """Run an included transaction again, and return its calls one by one with their depths."""
    return (await traced(chain, tx_hash)).entries


@rpc_method("ots_getInternalOperations")
async def get_internal_operations(chain: EthView, tx_hash: Hash) -> JsonValue:
    """Return what contracts did in a transaction: 0 transfer, 1 self-destruct, 2 and 3 create."""
    return (await traced(chain, tx_hash)).operations


@rpc_method("ots_getTransactionError")
async def get_transaction_error(chain: EthView, tx_hash: Hash) -> str:
    """Return the bytes with which a transaction reverted, none where it did not."""
    return data((await traced(chain, tx_hash)).revert)


@rpc_method("ots_getTransactionBySenderAndNonce")
async def get_transaction_by_sender_and_nonce(
    chain: EthView, sender: Address, nonce: Count
) -> str | None:
    """Return the hash of the transaction of a sender that has a nonce; null if there is none.

    It is found by bisection over the states of the chain.
    """
    found = await chain.execute(SenderNonceJob(sender, nonce))
    return None if found is None else data(found)


@rpc_method("ots_getContractCreator")
async def get_contract_creator(chain: EthView, address: Address) -> JsonValue:
    """Return who created a contract, in which transaction; null for what is none, and in genesis.

    The block is found by bisection over the states of the chain, and run again.
    """
    found = await chain.execute(ContractCreatorJob(address))
    if found is None:
        return None
    return {"hash": data(found.tx_hash), "creator": data(found.creator)}


async def traced(chain: EthView, tx_hash: bytes) -> OtterscanTrace:
    """Return what a transaction did; raises `ServerError` where it is not known."""
    location = chain.transaction_location(tx_hash)
    if location is None:
        raise ServerError(f"transaction {data(tx_hash)} not found")
    return await chain.execute(OtterscanTraceJob(location.block_hash, location.index))
