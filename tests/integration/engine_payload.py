"""The payload of a block as engine_newPayloadV4 takes it (execution-apis, Prague)."""

from consensus.block import Block


def engine_payload(block: Block) -> tuple[dict[str, object], list[str], str, list[str]]:
    """Return payload, versioned hashes of blobs, parent beacon block root and requests."""
    header = block.header
    beacon_root = header.parent_beacon_block_root or bytes(32)
    payload: dict[str, object] = {
        "parentHash": hexed(header.parent_hash),
        "feeRecipient": hexed(header.coinbase),
        "stateRoot": hexed(header.state_root),
        "receiptsRoot": hexed(header.receipt_root),
        "logsBloom": hexed(header.bloom.to_bytes(256, "big")),
        "prevRandao": hexed(header.mix_hash),
        "blockNumber": hex(header.block_number),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": hexed(header.extra_data),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "blockHash": hexed(header.hash),
        "transactions": [hexed(tx.raw) for tx in block.transactions],
        "withdrawals": [],
        "blobGasUsed": hex(header.blob_gas_used or 0),
        "excessBlobGas": hex(header.excess_blob_gas or 0),
    }
    return payload, [], hexed(beacon_root), []


def hexed(data: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return f"0x{data.hex()}"
