"""JSON forms of blocks, transactions, receipts and logs, as execution-apis and geth write them.

Quantities have no leading zeros; bytes have two digits each; absent is null or left out, exactly
where geth does so. Headers and transactions of every fork up to Prague are understood.
"""

from collections.abc import Mapping, Sequence

from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.creation_address import creation_address
from cvm.evm.header import BlockHeader
from cvm.evm.log import Log
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import (
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
)
from node.rpc.chain_view import BlockView, WithdrawalView
from node.rpc.fees import blob_base_fees, effective_gas_price
from node.rpc.json_value import JsonValue


def quantity(value: int) -> str:
    """Return 0x and the digits without leading zeros."""
    return hex(value)


def data(value: bytes) -> str:
    """Return 0x and two digits for each byte."""
    return "0x" + value.hex()


def word(value: int) -> str:
    """Return an integer as 32 bytes."""
    return f"0x{value:064x}"


def bloom(value: int) -> str:
    """Return a 2,048-bit bloom filter as 256 bytes."""
    return f"0x{value:0512x}"


def block_object(block: BlockView, *, is_full: bool) -> dict[str, JsonValue]:
    """Return a block with its transactions' hashes, or with the transactions themselves."""
    header = block.header
    transactions: list[JsonValue] = (
        [transaction_object(tx, header, place) for place, tx in enumerate(block.transactions)]
        if is_full
        else [data(tx.hash) for tx in block.transactions]
    )
    result = header_fields(header)
    result |= {"size": quantity(block.size_bytes), "transactions": transactions}
    result["uncles"] = [data(ommer) for ommer in block.ommer_hashes]
    if "withdrawalsRoot" in result:
        result["withdrawals"] = [withdrawal_object(item) for item in block.withdrawals]
    return result


def header_fields(header: BlockHeader) -> dict[str, JsonValue]:
    """Return the fields that a block takes from its header; later forks' only where present."""
    result: dict[str, JsonValue] = {
        "difficulty": quantity(header.difficulty),
        "extraData": data(header.extra_data),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "hash": data(header.hash),
        "logsBloom": bloom(header.bloom),
        "miner": data(header.coinbase),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "number": quantity(header.block_number),
        "parentHash": data(header.parent_hash),
        "receiptsRoot": data(header.receipt_root),
        "sha3Uncles": data(header.uncles_hash),
        "stateRoot": data(header.state_root),
        "timestamp": quantity(header.timestamp),
        "transactionsRoot": data(header.transaction_root),
    }
    for key, number in (
        ("baseFeePerGas", header.base_fee_per_gas),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    ):
        if number is not None:
            result[key] = quantity(number)
    for key, root in (
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ):
        if root is not None:
            result[key] = data(root)
    return result


def withdrawal_object(withdrawal: WithdrawalView) -> dict[str, JsonValue]:
    """Return an EIP-4895 withdrawal; its amount is in gwei."""
    return {
        "index": quantity(withdrawal.index),
        "validatorIndex": quantity(withdrawal.validator_index),
        "address": data(withdrawal.address),
        "amount": quantity(withdrawal.amount_gwei),
    }


def transaction_object(
    tx: Transaction, header: BlockHeader | None, index: int | None
) -> dict[str, JsonValue]:
    """Return a transaction of type 0 to 4; `header` and `index` are None while it is pending."""
    result: dict[str, JsonValue] = {
        "blockHash": None if header is None else data(header.hash),
        "blockNumber": None if header is None else quantity(header.block_number),
        "blockTimestamp": None if header is None else quantity(header.timestamp),
        "transactionIndex": None if index is None else quantity(index),
        "from": data(tx.sender),
        "to": data(tx.to) if tx.to else None,
        "gas": quantity(tx.gas),
        "gasPrice": quantity(effective_gas_price(tx, header)),
        "hash": data(tx.hash),
        "input": data(tx.data),
        "nonce": quantity(tx.nonce),
        "value": quantity(tx.value),
        "type": quantity(tx.type_id),
        "r": quantity(tx.r),
        "s": quantity(tx.s),
        "v": quantity(tx.v),
    }
    return result | _fields_of_type(tx)


def _fields_of_type(tx: Transaction) -> dict[str, JsonValue]:
    if tx.type_id == LEGACY:
        return {} if tx.chain_id is None else {"chainId": quantity(tx.chain_id)}
    result: dict[str, JsonValue] = {
        "chainId": quantity(tx.chain_id or 0),
        "accessList": access_list_object(tx.access_list),
        "yParity": quantity(tx.y_parity),
    }
    if tx.type_id >= DYNAMIC_FEE:
        result["maxFeePerGas"] = quantity(tx.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = quantity(tx.max_priority_fee_per_gas)
    if tx.type_id == BLOB:
        result["maxFeePerBlobGas"] = quantity(tx.max_fee_per_blob_gas)
        result["blobVersionedHashes"] = [data(item) for item in tx.blob_versioned_hashes]
    if tx.type_id == SET_CODE:
        result["authorizationList"] = [authorization_object(a) for a in tx.authorization_list]
    return result


def access_list_object(access_list: AccessList) -> JsonValue:
    """Return an EIP-2930 access list."""
    return [
        {"address": data(address), "storageKeys": [word(slot) for slot in slots]}
        for address, slots in access_list
    ]


def authorization_object(authorization: Authorization) -> Mapping[str, JsonValue]:
    """Return one EIP-7702 authorization."""
    return {
        "chainId": quantity(authorization.chain_id),
        "address": data(authorization.address),
        "nonce": quantity(authorization.nonce),
        "yParity": quantity(authorization.y_parity),
        "r": quantity(authorization.r),
        "s": quantity(authorization.s),
    }


def receipt_object(
    block: BlockView, receipts: Sequence[Receipt], index: int, first_log: int
) -> dict[str, JsonValue]:
    """Return one receipt of a block, given all of them and how many logs those before it have."""
    header, tx_hash = block.header, block.transactions[index].hash
    logs = [
        log_object(log, header, tx_hash, index, log_index)
        for log_index, log in enumerate(receipts[index].logs, first_log)
    ]
    return receipt_fields(block, receipts, index) | {"logs": logs}


def receipt_fields(
    block: BlockView, receipts: Sequence[Receipt], index: int
) -> dict[str, JsonValue]:
    """Return one receipt of a block without its logs, given all of them."""
    header = block.header
    tx = block.transactions[index]
    receipt = receipts[index]
    gas_before = receipts[index - 1].cumulative_gas_used if index else 0
    result: dict[str, JsonValue] = {
        "blockHash": data(header.hash),
        "blockNumber": quantity(header.block_number),
        "contractAddress": None if tx.to else data(creation_address(tx.sender, tx.nonce)),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": quantity(effective_gas_price(tx, header)),
        "from": data(tx.sender),
        "gasUsed": quantity(receipt.cumulative_gas_used - gas_before),
        "logsBloom": bloom(receipt.bloom),
        "to": data(tx.to) if tx.to else None,
        "transactionHash": data(tx.hash),
        "transactionIndex": quantity(index),
        "type": quantity(tx.type_id),
    }
    if receipt.state_root is None:
        result["status"] = quantity(receipt.status)
    else:  # before Byzantium (EIP-658)
        result["root"] = data(receipt.state_root)
    if tx.type_id == BLOB:
        result["blobGasUsed"] = quantity(GAS_PER_BLOB * len(tx.blob_versioned_hashes))
        result["blobGasPrice"] = quantity(blob_base_fees(header)[0])
    return result


def log_object(
    log: Log, header: BlockHeader, tx_hash: bytes, tx_index: int, log_index: int
) -> dict[str, JsonValue]:
    """Return a log; `log_index` counts from the start of the block."""
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": quantity(header.block_number),
        "blockHash": data(header.hash),
        "blockTimestamp": quantity(header.timestamp),
        "transactionHash": data(tx_hash),
        "transactionIndex": quantity(tx_index),
        "logIndex": quantity(log_index),
        "removed": False,
    }
