"""The registry as a node reads it: straight from the contract's storage, running no code.

The slots below are the storage layout that solc reports for ModelRegistry.sol and ValidatorSet.sol;
a test compares them with the artifacts. Slots of mappings, arrays, strings and bytes follow the
Solidity documentation, "Layout of State Variables in Storage".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Protocol

from cvm.evm.keccak import keccak256
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.record import MAX_RECORD_BYTES, MAX_UINT64, BadRecord, ModelRecord

VALIDATOR_SET_SLOT = 0
ACTIVATION_DELAY_SLOT = 1
DEADLINE_SLOT = 2
PENDING_BYTES_SLOT = 3
MODEL_IDS_SLOT = 4
ENTRIES_SLOT = 5
COMMITTED_AT_SLOT = 6
PENDING_OF_SLOT = 7
VALIDATORS_SLOT = 0
"""In the ValidatorSet; the slots above are the ModelRegistry's."""

OWNER_WORD = 0
"""Of an entry: owner (20 bytes, lowest), size (8), status (1)."""
HEIGHTS_WORD = 1
"""Of an entry: registeredAt (8 bytes, lowest), activationHeight (8), nonce (8), royaltyGas (8)."""
RECORD_HASH_WORD = 2
URI_WORD = 3
RECORD_WORD = 4

MAX_URI_BYTES = 256
"""As in the contract, which lets no longer one in."""


class StorageReader(Protocol):
    """Reads a word of an account's storage in one state; 0 where nothing was written."""

    def __call__(self, address: bytes, slot: int, /) -> int:
        """Return the word at a slot."""


class RegistryStatus(IntEnum):
    """Where a model stands; the numbers are the contract's and MODELINFO's."""

    NONE = 0
    PENDING = 1
    ACTIVE = 2
    EXPIRED = 3


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """A registered model as of a height.

    `activation_height` is 0 and `record` None until `activate` went through; from then on the
    status stays PENDING until that height is reached.
    """

    model_id: bytes
    owner: bytes
    size_bytes: int
    royalty_gas: int
    uri: str
    nonce: int
    status: RegistryStatus
    activation_height: int
    registered_at: int
    record: ModelRecord | None


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """What an opcode needs of a model that may run."""

    model_id: bytes
    owner: bytes
    size_bytes: int
    royalty_gas: int
    activation_height: int
    record: ModelRecord


def read_entry(storage: StorageReader, model_id: bytes, height: int) -> RegistryEntry | None:
    """Return a model as of block `height`, or None where it was never registered."""
    entry_slot = mapping_slot(ENTRIES_SLOT, model_id)
    owner_word = storage(MODEL_REGISTRY, entry_slot + OWNER_WORD)
    if owner_word == 0:
        return None
    heights = storage(MODEL_REGISTRY, entry_slot + HEIGHTS_WORD)
    uri = _read_bytes(storage, entry_slot + URI_WORD, MAX_URI_BYTES)
    activation_height = heights >> 64 & MAX_UINT64
    return RegistryEntry(
        model_id=model_id,
        owner=_owner(owner_word),
        size_bytes=_size_bytes(owner_word),
        royalty_gas=heights >> 192,
        uri=uri.decode("utf-8", errors="backslashreplace"),
        nonce=heights >> 128 & MAX_UINT64,
        status=_status(owner_word, activation_height, height),
        activation_height=activation_height,
        registered_at=heights & MAX_UINT64,
        record=_read_record(storage, entry_slot),
    )


def read_active_record(storage: StorageReader, model_id: bytes, height: int) -> ActiveModel | None:
    """Return a model that is ACTIVE at block `height`, or None; reads 3 to 20 slots.

    Bytes that more than two thirds of the validators signed but that are no record leave the
    model without one: it counts as not active, for everyone alike.
    """
    entry_slot = mapping_slot(ENTRIES_SLOT, model_id)
    heights = storage(MODEL_REGISTRY, entry_slot + HEIGHTS_WORD)
    activation_height = heights >> 64 & MAX_UINT64
    if activation_height == 0 or height < activation_height:
        return None
    record = _read_record(storage, entry_slot)
    if record is None:
        return None
    owner_word = storage(MODEL_REGISTRY, entry_slot + OWNER_WORD)
    return ActiveModel(
        model_id=model_id,
        owner=_owner(owner_word),
        size_bytes=_size_bytes(owner_word),
        royalty_gas=heights >> 192,
        activation_height=activation_height,
        record=record,
    )


def read_status(storage: StorageReader, model_id: bytes, height: int) -> RegistryStatus:
    """Return where a model stands at block `height`; reads two slots (MODELINFO field 0)."""
    entry_slot = mapping_slot(ENTRIES_SLOT, model_id)
    heights = storage(MODEL_REGISTRY, entry_slot + HEIGHTS_WORD)
    owner_word = storage(MODEL_REGISTRY, entry_slot + OWNER_WORD)
    return _status(owner_word, heights >> 64 & MAX_UINT64, height)


def read_model_ids(storage: StorageReader) -> tuple[bytes, ...]:
    """Return every model id that was ever registered, in order of first registration."""
    return _read_array(
        storage, MODEL_REGISTRY, MODEL_IDS_SLOT, lambda word: word.to_bytes(32, "big")
    )


def read_validators(storage: StorageReader) -> tuple[bytes, ...]:
    """Return the validators' addresses in the order of turns."""
    return _read_array(storage, VALIDATOR_SET, VALIDATORS_SLOT, _owner)


def read_activation_delay(storage: StorageReader) -> int:
    """Return the blocks between `activate` and the height at which a model is ACTIVE."""
    return storage(MODEL_REGISTRY, ACTIVATION_DELAY_SLOT)


def read_deadline(storage: StorageReader) -> int:
    """Return the blocks that a PENDING model has to be activated in."""
    return storage(MODEL_REGISTRY, DEADLINE_SLOT)


def mapping_slot(slot: int, key: bytes) -> int:
    """Return where a mapping keeps the value of a 32-byte key."""
    return int.from_bytes(keccak256(key + slot.to_bytes(32, "big")), "big")


def array_element_slot(slot: int, index: int) -> int:
    """Return where a dynamic array of one-word elements keeps an element."""
    return (int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big") + index) % 2**256


def _owner(word: int) -> bytes:
    return (word & (2**160 - 1)).to_bytes(20, "big")


def _size_bytes(word: int) -> int:
    return word >> 160 & MAX_UINT64


def _status(owner_word: int, activation_height: int, height: int) -> RegistryStatus:
    if activation_height != 0 and height >= activation_height:
        return RegistryStatus.ACTIVE
    return RegistryStatus(owner_word >> 224 & 0xFF)


def _read_record(storage: StorageReader, entry_slot: int) -> ModelRecord | None:
    return _decode_record(_read_bytes(storage, entry_slot + RECORD_WORD, MAX_RECORD_BYTES))


@lru_cache(maxsize=1024)
def _decode_record(data: bytes) -> ModelRecord | None:
    """Decode each record once: opcodes ask for the same few again and again."""
    try:
        return ModelRecord.decode(data)
    except BadRecord:
        return None


def _read_bytes(storage: StorageReader, slot: int, max_bytes: int) -> bytes:
    """Read a Solidity `bytes` or `string`; one longer than the contract allows reads as empty."""
    word = storage(MODEL_REGISTRY, slot)
    if word & 1 == 0:
        length = (word & 0xFF) // 2
        return word.to_bytes(32, "big")[: min(length, 31)]
    length = word // 2
    if length > max_bytes:
        return b""
    words = (
        storage(MODEL_REGISTRY, array_element_slot(slot, index)).to_bytes(32, "big")
        for index in range(-(-length // 32))
    )
    return b"".join(words)[:length]


def _read_array(
    storage: StorageReader, address: bytes, slot: int, decode: Callable[[int], bytes]
) -> tuple[bytes, ...]:
    count = storage(address, slot)
    return tuple(decode(storage(address, array_element_slot(slot, i))) for i in range(count))
