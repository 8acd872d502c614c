"""What a transaction left in its block: receipts, their logs, and their EIP-2718 bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import field

from cvm.evm.log import Log
from cvm.evm.log_bloom import BLOOM_BYTES, bloom_bits
from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.rlp_encoding import (
    EMPTY_LIST,
    EMPTY_STRING,
    encode_bytes,
    encode_integer,
    encode_list,
    list_header,
)
from cvm.evm.rlp_lists import (
    UINT64_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    list_start,
    split_items,
)
from cvm.evm.stored_logs import StoredLogs
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import SET_CODE
from cvm.evm.value_class import value_class

BLOOM_PREFIX = b"\xb9\x01\x00"
EMPTY_BLOOM = BLOOM_PREFIX + bytes(BLOOM_BYTES)
TYPES = tuple(bytes((type_id,)) if type_id else b"" for type_id in range(SET_CODE + 1))
STATUS = (EMPTY_STRING, b"\x01")
NO_LOGS = EMPTY_BLOOM + EMPTY_LIST


@value_class
class Receipt:
    """The outcome of one transaction; `cumulative_gas_used` counts from the start of the block.

    `status` is 1 for success and 0 for failure; a receipt from before Byzantium (EIP-658) has the
    `state_root` after it instead, and its status says nothing.
    """

    type_id: int
    status: int
    cumulative_gas_used: int
    logs: Sequence[Log] = ()
    state_root: bytes | None = None
    _bloom: int | None = field(default=None, init=False, repr=False, compare=False)
    _encoded: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def bloom(self) -> int:
        """Return the filter of the logs as a number of 2,048 bits, worked out once."""
        bloom = self._bloom
        if bloom is None:
            bloom = bloom_of_logs(self.logs)
            object.__setattr__(self, "_bloom", bloom)
        return bloom

    def encode(self) -> bytes:
        """Return the EIP-2718 bytes, made once: for the root, then for the store."""
        encoded = self._encoded
        if encoded is None:
            encoded = self._made()
            object.__setattr__(self, "_encoded", encoded)
        return encoded

    def _made(self) -> bytes:
        outcome = STATUS[self.status] if self.state_root is None else b"\xa0" + self.state_root
        outcome += encode_integer(self.cumulative_gas_used)
        end = NO_LOGS
        if self.logs:
            logs = encode_list(b"".join([log.encode() for log in self.logs]))
            end = BLOOM_PREFIX + self.bloom.to_bytes(BLOOM_BYTES, "big") + logs
        prefix = TYPES[self.type_id] + list_header(len(outcome) + len(end))
        return prefix + outcome + end


def bloom_of_logs(logs: Iterable[Log]) -> int:
    """Return the filter of logs as a number of 2,048 bits."""
    bloom = 0
    for log in logs:
        bloom |= bloom_bits(log.address)
        for topic in log.topics:
            bloom |= bloom_bits(topic)
    return bloom


def decode_receipt(raw: bytes) -> Receipt:
    """Decode EIP-2718 bytes; raises `BadRlp`, also where the bloom is not that of the logs."""
    stored = stored_receipt(raw)
    receipt = Receipt(
        stored.type_id,
        stored.status,
        stored.cumulative_gas_used,
        tuple(stored.logs),
        stored.state_root,
    )
    if stored.bloom != receipt.bloom:
        raise BadRlp("the bloom of a receipt is not that of its logs")
    return receipt


def stored_receipt(raw: bytes) -> Receipt:
    """Decode EIP-2718 bytes that this node wrote; the logs wait until somebody looks at them."""
    type_id = raw[0] if raw and raw[0] < 0x80 else 0
    if type_id > SET_CODE or raw[:1] == b"\0":
        raise BadRlp(f"no receipt has type {type_id}")
    start = list_start(raw, 1 if type_id else 0, "a receipt")
    items, lists = split_items(raw, start, len(raw))
    expect_shape("a receipt", items, lists, 4, [3])
    outcome, gas_used, bloom, logs = items
    state_root = fixed_bytes("a state root", outcome, WORD_BYTES) if len(outcome) > 1 else None
    status = status_of(outcome) if state_root is None else 0
    gas = integer("cumulative gas used", gas_used, UINT64_BYTES)
    receipt = Receipt(type_id, status, gas, StoredLogs(logs), state_root)
    shown = int.from_bytes(fixed_bytes("a bloom", bloom, BLOOM_BYTES), "big")
    object.__setattr__(receipt, "_bloom", shown)
    object.__setattr__(receipt, "_encoded", raw)
    return receipt


def status_of(outcome: bytes) -> int:
    """Return 0 for no bytes and 1 for 0x01 (EIP-658); raises `BadRlp` for another byte."""
    if outcome not in (b"", b"\x01"):
        raise BadRlp(f"invalid receipt status: 0x{outcome.hex()}")
    return len(outcome)


def encode_receipts(receipts: Iterable[Receipt]) -> bytes:
    """Return an RLP list of EIP-2718 byte strings, as a store keeps the receipts of a block."""
    return encode_list(b"".join([encode_bytes(receipt.encode()) for receipt in receipts]))


def decode_receipts(data: bytes) -> tuple[Receipt, ...]:
    """Return the receipts that `encode_receipts` wrote, each with `StoredLogs`; raises `BadRlp`."""
    start = list_start(data, 0, "the receipts")
    items, lists = split_items(data, start, len(data), BLOOM_BYTES)
    expect_shape("the receipts", items, lists, len(items), [])
    return tuple(stored_receipt(item) for item in items)
