"""Decodes a block's list of transactions: most in compiled code, the others one by one."""

from struct import Struct
from typing import Any

import numpy as np

from cvm.evm.faults import MalformedTransaction
from cvm.evm.native.machine_memory import Array, address_of, new_scratch
from cvm.evm.native.transaction_scan import (
    FIELDS,
    MESSAGE,
    MESSAGE_MARGIN,
    MOST_FIELDS,
    OTHER_STRING,
    PAYLOAD,
    PLACE,
    ROOM,
    ROW_BYTES,
    ROWS,
    SCRATCH,
    SIZE,
    WORK_WORDS,
    count_items,
    scan_transactions,
)
from cvm.evm.rlp_lists import split_items
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction

ROW = Struct("<4q2Q5q32s32s32s64s32s32s")
ROWS_AT_ONCE = 256
"""A list has as many items as it has bytes: rows are made, and read, so many at a time."""


def decode_transaction_list(payload: bytes) -> tuple[Transaction, ...]:
    """Decode the payload of a block's list of transactions.

    A legacy transaction stands there as a list, a typed one as a byte string (EIP-2718). Raises
    `BadRlp` for the list, and what `decode_transaction` raises.
    """
    if not payload:
        return ()
    data = np.frombuffer(payload, np.uint8)
    count = count_items(address_of(data), len(payload))
    if count < 0:
        split_items(payload, -1 - count, len(payload))  # names the rule that is broken
    parts: dict[int, Array] = {
        PAYLOAD: data,
        SCRATCH: new_scratch(),
        FIELDS: np.empty(2 * MOST_FIELDS, np.int64),
        MESSAGE: np.empty(len(payload) + MESSAGE_MARGIN, np.uint8),
        ROWS: np.empty(min(count, ROWS_AT_ONCE) * ROW_BYTES, np.uint8),
    }
    work = np.zeros(WORK_WORDS, np.int64)
    work[SIZE], work[ROOM] = len(payload), ROWS_AT_ONCE
    for place, part in parts.items():
        work[place] = address_of(part)
    transactions: list[Transaction] = []
    while work[PLACE] < len(payload):
        rows = scan_transactions(address_of(work))
        read = parts[ROWS][: rows * ROW_BYTES].tobytes()
        transactions.extend([from_row(payload, row) for row in ROW.iter_unpack(read)])
    return tuple(transactions)


def from_row(payload: bytes, row: tuple[Any, ...]) -> Transaction:
    """Return the transaction of a row; raises what `decode_transaction` raises."""
    (
        form, start, end, chain_id, nonce, gas, to, to_size, data, data_size, y_parity,
        tip, cap, value, signature, tx_hash, signing_hash,
    ) = row  # fmt: skip
    raw = payload[start:end]
    if form < 0:
        return decode_other(form, raw)
    from_bytes = int.from_bytes
    return Transaction(
        raw,
        tx_hash,
        form,
        chain_id if chain_id >= 0 else None,
        nonce,
        from_bytes(tip, "big"),
        from_bytes(cap, "big"),
        gas,
        payload[to : to + to_size],
        from_bytes(value, "big"),
        payload[data : data + data_size],
        y_parity,
        signature,
        (),
        0,
        (),
        (),
        signing_hash,
    )


def decode_other(form: int, raw: bytes) -> Transaction:
    """Decode what compiled code left: raises what `decode_transaction` raises."""
    if form == OTHER_STRING and raw[:1] >= b"\x80":
        raise MalformedTransaction("a legacy transaction stands in a block as a list")
    return decode_transaction(raw)
