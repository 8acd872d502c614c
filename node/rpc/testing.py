"""The testing_ method of execution-apis: a block that is built for a test, and not kept."""

from typing import Annotated, TypeAlias

from node.execution.block_building import BuildJob, BuiltBlock, PayloadAttributes
from node.rpc.call_parameters import field
from node.rpc.chain_view import EthView
from node.rpc.encoding import bloom, data, quantity, withdrawal_object
from node.rpc.faults import BadArgument
from node.rpc.override_parameters import parse_withdrawals
from node.rpc.parameters import (
    Data,
    Hash,
    parse_address,
    parse_data,
    parse_hash,
    parse_list,
    parse_object,
    parse_uint64,
)
from node.rpc.registry import JsonValue, rpc_method


def parse_attributes(value: object) -> PayloadAttributes:
    """Return the attributes of a payload (engine API, PayloadAttributesV3)."""
    fields = parse_object(value)
    timestamp = field(fields, "timestamp", parse_uint64)
    if timestamp is None:
        raise BadArgument("payload attributes want a timestamp")
    return PayloadAttributes(
        timestamp,
        field(fields, "prevRandao", parse_hash) or bytes(32),
        field(fields, "suggestedFeeRecipient", parse_address) or bytes(20),
        field(fields, "withdrawals", parse_withdrawals) or (),
        field(fields, "parentBeaconBlockRoot", parse_hash) or bytes(32),
    )


def parse_transactions(value: object) -> tuple[bytes, ...]:
    """Return raw transactions."""
    return tuple([parse_data(item) for item in parse_list(value)])


Attributes: TypeAlias = Annotated[PayloadAttributes, parse_attributes]
Transactions: TypeAlias = Annotated[tuple[bytes, ...] | None, parse_transactions]


@rpc_method("testing_buildBlockV1")
async def build_block(
    chain: EthView,
    parent_hash: Hash,
    attributes: Attributes,
    transactions: Transactions = None,
    extra_data: Data = b"",
) -> JsonValue:
    """Build a block on a parent from these transactions, or from the pool's where there are none.

    The block is returned as the engine API would, and forgotten.
    """
    given = transactions is not None
    raws = transactions if transactions is not None else waiting(chain)
    job = BuildJob(parent_hash, attributes, raws, extra_data, takes_all=given)
    return _payload(await chain.execute(job))


def waiting(chain: EthView) -> tuple[bytes, ...]:
    """Return the transactions of the pool that could stand in the next block."""
    pending = chain.pool_content().pending
    return tuple([tx.raw for sender in sorted(pending) for tx in pending[sender]])


def _payload(built: BuiltBlock) -> JsonValue:
    block, header = built.block, built.block.header
    return {
        "executionPayload": {
            "parentHash": data(header.parent_hash),
            "feeRecipient": data(header.coinbase),
            "stateRoot": data(header.state_root),
            "receiptsRoot": data(header.receipt_root),
            "logsBloom": bloom(header.bloom),
            "prevRandao": data(header.mix_hash),
            "blockNumber": quantity(header.block_number),
            "gasLimit": quantity(header.gas_limit),
            "gasUsed": quantity(header.gas_used),
            "timestamp": quantity(header.timestamp),
            "extraData": data(header.extra_data),
            "baseFeePerGas": quantity(header.base_fee_per_gas or 0),
            "blockHash": data(header.hash),
            "transactions": [data(tx.raw) for tx in block.transactions],
            "withdrawals": [withdrawal_object(item) for item in block.withdrawals or ()],
            "blobGasUsed": quantity(header.blob_gas_used or 0),
            "excessBlobGas": quantity(header.excess_blob_gas or 0),
        },
        "blockValue": quantity(built.value),
        "blobsBundle": {"commitments": [], "proofs": [], "blobs": []},
        "executionRequests": [],
        "shouldOverrideBuilder": False,
    }
