"""JSON forms of blocks, transactions, receipts and logs, as execution-apis and geth write them.

Quantities have no leading zeros; bytes have two digits each; absent is null or left out, exactly
where geth does so. Headers and transactions of every fork up to Prague are understood.
"""

from collections.abc import Iterable, Mapping, Sequence

import rlp
from eth.abc import (
    BlockHeaderAPI,
    LogAPI,
    ReceiptAPI,
    SetCodeAuthorizationAPI,
    SignedTransactionAPI,
)
from eth.vm.forks.cancun.constants import BLOB_TX_TYPE, GAS_PER_BLOB
from eth.vm.forks.prague.constants import SET_CODE_TRANSACTION_TYPE
from eth_hash.auto import keccak

from node.rpc.chain_view import BlockView, WithdrawalView
from node.rpc.fees import blob_base_fee, effective_gas_price
from node.rpc.registry import JsonValue

LEGACY_TX_TYPE = 0
ACCESS_LIST_TX_TYPE = 1
DYNAMIC_FEE_TX_TYPE = 2

_EIP155_FIRST_V = 35


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
    result |= {"size": quantity(block.size_bytes), "transactions": transactions, "uncles": []}
    if "withdrawalsRoot" in result:
        result["withdrawals"] = [withdrawal_object(item) for item in block.withdrawals]
    return result


def header_fields(header: BlockHeaderAPI) -> dict[str, JsonValue]:
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
    fields = header.as_dict()
    for name, key in (
        ("base_fee_per_gas", "baseFeePerGas"),
        ("blob_gas_used", "blobGasUsed"),
        ("excess_blob_gas", "excessBlobGas"),
    ):
        if name in fields:
            result[key] = quantity(fields[name])
    for name, key in (
        ("withdrawals_root", "withdrawalsRoot"),
        ("parent_beacon_block_root", "parentBeaconBlockRoot"),
        ("requests_hash", "requestsHash"),
    ):
        if name in fields:
            result[key] = data(fields[name])
    return result


def withdrawal_object(withdrawal: WithdrawalView) -> dict[str, JsonValue]:
    """Return an EIP-4895 withdrawal; its amount is in gwei."""
    return {
        "index": quantity(withdrawal.index),
        "validatorIndex": quantity(withdrawal.validator_index),
        "address": data(withdrawal.address),
        "amount": quantity(withdrawal.amount),
    }


def transaction_object(
    tx: SignedTransactionAPI, header: BlockHeaderAPI | None, index: int | None
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
        "type": quantity(transaction_type(tx)),
        "r": quantity(tx.r),
        "s": quantity(tx.s),
    }
    return result | _fields_of_type(tx)


def transaction_type(tx: SignedTransactionAPI) -> int:
    """Return the EIP-2718 type, 0 for a legacy transaction."""
    return LEGACY_TX_TYPE if tx.type_id is None else tx.type_id


def _fields_of_type(tx: SignedTransactionAPI) -> dict[str, JsonValue]:
    kind = transaction_type(tx)
    if kind == LEGACY_TX_TYPE:
        return _legacy_fields(tx)
    result: dict[str, JsonValue] = {
        "chainId": quantity(tx.chain_id or 0),
        "accessList": access_list_object(tx.access_list),
        "v": quantity(tx.y_parity),
        "yParity": quantity(tx.y_parity),
    }
    if kind >= DYNAMIC_FEE_TX_TYPE:
        result["maxFeePerGas"] = quantity(tx.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = quantity(tx.max_priority_fee_per_gas)
    if kind == BLOB_TX_TYPE:
        result["maxFeePerBlobGas"] = quantity(tx.max_fee_per_blob_gas)
        result["blobVersionedHashes"] = [data(item) for item in tx.blob_versioned_hashes]
    if kind == SET_CODE_TRANSACTION_TYPE:
        result["authorizationList"] = [authorization_object(a) for a in tx.authorization_list]
    return result


def _legacy_fields(tx: SignedTransactionAPI) -> dict[str, JsonValue]:
    v = int(tx.as_dict()["v"])
    result: dict[str, JsonValue] = {"v": quantity(v)}
    if v >= _EIP155_FIRST_V:
        result["chainId"] = quantity((v - _EIP155_FIRST_V) // 2)
    return result


def access_list_object(access_list: Iterable[tuple[bytes, Sequence[int]]]) -> JsonValue:
    """Return an EIP-2930 access list."""
    return [
        {"address": data(address), "storageKeys": [word(slot) for slot in slots]}
        for address, slots in access_list
    ]


def authorization_object(authorization: SetCodeAuthorizationAPI) -> Mapping[str, JsonValue]:
    """Return one EIP-7702 authorization."""
    return {
        "chainId": quantity(authorization.chain_id),
        "address": data(authorization.address),
        "nonce": quantity(authorization.nonce),
        "yParity": quantity(authorization.y_parity),
        "r": quantity(authorization.r),
        "s": quantity(authorization.s),
    }


def receipt_objects(block: BlockView, receipts: Sequence[ReceiptAPI]) -> list[dict[str, JsonValue]]:
    """Return the receipts of a block, with the gas and the log numbers of each worked out."""
    result = []
    first_log = 0
    for index, receipt in enumerate(receipts):
        result.append(_receipt_object(block, receipts, index, first_log))
        first_log += len(receipt.logs)
    return result


def receipt_object(
    block: BlockView, receipts: Sequence[ReceiptAPI], index: int
) -> dict[str, JsonValue]:
    """Return one receipt of a block, given all of them."""
    first_log = sum(len(receipt.logs) for receipt in receipts[:index])
    return _receipt_object(block, receipts, index, first_log)


def _receipt_object(
    block: BlockView, receipts: Sequence[ReceiptAPI], index: int, first_log: int
) -> dict[str, JsonValue]:
    header = block.header
    tx = block.transactions[index]
    receipt = receipts[index]
    gas_before = receipts[index - 1].gas_used if index else 0
    result: dict[str, JsonValue] = {
        "blockHash": data(header.hash),
        "blockNumber": quantity(header.block_number),
        "contractAddress": None if tx.to else data(contract_address(tx.sender, tx.nonce)),
        "cumulativeGasUsed": quantity(receipt.gas_used),
        "effectiveGasPrice": quantity(effective_gas_price(tx, header)),
        "from": data(tx.sender),
        "gasUsed": quantity(receipt.gas_used - gas_before),
        "logs": [
            log_object(log, header, tx.hash, index, first_log + offset)
            for offset, log in enumerate(receipt.logs)
        ],
        "logsBloom": bloom(receipt.bloom),
        "to": data(tx.to) if tx.to else None,
        "transactionHash": data(tx.hash),
        "transactionIndex": quantity(index),
        "type": quantity(transaction_type(tx)),
    }
    if len(receipt.state_root) == 32:  # before Byzantium (EIP-658)
        result["root"] = data(receipt.state_root)
    else:
        result["status"] = "0x1" if receipt.state_root == b"\x01" else "0x0"
    if transaction_type(tx) == BLOB_TX_TYPE:
        result["blobGasUsed"] = quantity(GAS_PER_BLOB * len(tx.blob_versioned_hashes))
        result["blobGasPrice"] = quantity(blob_base_fee(header.excess_blob_gas))
    return result


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Return where a creating transaction puts its contract (Yellow Paper, section 7)."""
    return bytes(keccak(rlp.encode([sender, nonce]))[12:])


def log_object(
    log: LogAPI, header: BlockHeaderAPI, tx_hash: bytes, tx_index: int, log_index: int
) -> dict[str, JsonValue]:
    """Return a log; `log_index` counts from the start of the block."""
    return {
        "address": data(log.address),
        "topics": [word(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": quantity(header.block_number),
        "blockHash": data(header.hash),
        "blockTimestamp": quantity(header.timestamp),
        "transactionHash": data(tx_hash),
        "transactionIndex": quantity(tx_index),
        "logIndex": quantity(log_index),
        "removed": False,
    }
