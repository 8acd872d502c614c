"""The registry as a node reads it: straight from the contract's storage, running no code.

The slots below are the storage layout that solc reports for ModelRegistry.sol and ValidatorSet.sol;
a test compares them with the artifacts. Slots of mappings, arrays, strings and bytes follow the
Solidity documentation, "Layout of State Variables in Storage".
"""

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
RETIREMENT_DELAY_SLOT = 3
ROYALTY_DELAY_SLOT = 4
DEPOSIT_PER_BYTE_SLOT = 5
FEE_PER_BYTE_SLOT = 6
TOKEN_OWNERS_SLOT = 9
"""OpenZeppelin's ERC-721: the owner of each token; slots 7 to 14 are ERC-721's and ERC-2981's."""
PENDING_BYTES_SLOT = 15
ACTIVE_BYTES_SLOT = 16
MODEL_IDS_SLOT = 17
ENTRIES_SLOT = 18
COMMITTED_AT_SLOT = 19
PENDING_OF_SLOT = 20
REFUNDS_SLOT = 21
SEATS_SLOT = 0
"""From here on the ValidatorSet's slots; those above are the ModelRegistry's."""
BOND_SLOT = 1
EPOCH_BLOCKS_SLOT = 2
UNBONDING_BLOCKS_SLOT = 3
GENESIS_HASH_SLOT = 4
QUEUE_SLOT = 5
"""Lowest first, 8 bytes each: epoch of the last change, changes in it, validators before them and
after them."""
STRANDED_SLOT = 6
FIRST_KNOWN_EPOCH_SLOT = 7
FREE_PLACES_SLOT = 8
LISTINGS_SLOT = 9
"""Of an account, lowest first: bond (16 bytes), place in the list from 1 (8), isJailed (1)."""
ABSENCES_SLOT = 10

RUN_WORD = 0
"""Of an entry, 8 bytes each, lowest first: activationHeight, retirementHeight, royaltyGas,
nextRoyaltyGas."""
REGISTRATION_WORD = 1
"""Of an entry, lowest first: royaltyHeight, size, registeredAt (8 bytes each), nonce (4) and
status (1)."""
DEPOSIT_WORD = 2
RECORD_HASH_WORD = 3
URI_WORD = 4
RECORD_WORD = 5

MAX_URI_BYTES = 256
"""As in the contract, which lets no longer one in."""

_UINT32 = 2**32 - 1


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
    RETIRED = 4


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """A registered model as of a height.

    `activation_height` is 0 and `record` None until `activate` went through; from then on the
    status stays PENDING until that height is reached. `retirement_height` is 0 until `retire`
    went through. `royalty_gas` is what an item pays at this height, `next_royalty_gas` what it
    pays from `royalty_height` on. `owner` has the token: zero where the model has EXPIRED.
    `deposit` is what the registry holds for the model, in wei.
    """

    model_id: bytes
    owner: bytes
    size_bytes: int
    royalty_gas: int
    uri: str
    nonce: int
    status: RegistryStatus
    activation_height: int
    retirement_height: int
    registered_at: int
    next_royalty_gas: int
    royalty_height: int
    deposit: int
    record: ModelRecord | None


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """What an opcode needs of a model that may run; `royalty_gas` is in force at the height."""

    model_id: bytes
    owner: bytes
    size_bytes: int
    royalty_gas: int
    activation_height: int
    record: ModelRecord


@dataclass(frozen=True, slots=True)
class Seat:
    """A validator's place in the list: it votes from the first epoch, until the other if not 0."""

    validator: bytes
    from_epoch: int
    until_epoch: int = 0

    def votes_in(self, epoch: int) -> bool:
        """Tell whether the validator votes in an epoch."""
        return self.from_epoch <= epoch and (self.until_epoch == 0 or epoch < self.until_epoch)

    def encode(self) -> int:
        """Return the contract's word: address, first epoch << 160, the other << 208."""
        epochs = self.from_epoch << 160 | self.until_epoch << 208
        return int.from_bytes(self.validator, "big") | epochs

    @classmethod
    def decode(cls, word: int) -> "Seat":
        """Read the contract's word."""
        return cls(_address(word), word >> 160 & (2**48 - 1), word >> 208)


@dataclass(frozen=True, slots=True)
class Listing:
    """What the ValidatorSet keeps of an account: its seat if any, its bond in wei, its jail."""

    seat: Seat | None
    bond: int
    is_jailed: bool


def read_entry(storage: StorageReader, model_id: bytes, height: int) -> RegistryEntry | None:
    """Return a model as of block `height`, or None where it was never registered."""
    words = _read_words(storage, model_id)
    if words.stored_status is RegistryStatus.NONE:
        return None
    entry_slot = mapping_slot(ENTRIES_SLOT, model_id)
    uri = _read_bytes(storage, entry_slot + URI_WORD, MAX_URI_BYTES)
    return RegistryEntry(
        model_id=model_id,
        owner=read_owner(storage, model_id),
        size_bytes=words.size_bytes,
        royalty_gas=words.royalty_gas(height),
        uri=uri.decode("utf-8", errors="backslashreplace"),
        nonce=words.nonce,
        status=words.status(height),
        activation_height=words.activation_height,
        retirement_height=words.retirement_height,
        registered_at=words.registered_at,
        next_royalty_gas=words.next_royalty_gas,
        royalty_height=words.royalty_height,
        deposit=storage(MODEL_REGISTRY, entry_slot + DEPOSIT_WORD),
        record=_read_record(storage, entry_slot),
    )


def read_active_record(storage: StorageReader, model_id: bytes, height: int) -> ActiveModel | None:
    """Return a model that is ACTIVE at block `height`, or None; reads 2 to 20 slots.

    Bytes that more than two thirds of the validators signed but that are no record leave the
    model without one: it counts as not active, for everyone alike.
    """
    words = _read_words(storage, model_id)
    if words.status(height) is not RegistryStatus.ACTIVE:
        return None
    record = _read_record(storage, mapping_slot(ENTRIES_SLOT, model_id))
    if record is None:
        return None
    return ActiveModel(
        model_id=model_id,
        owner=read_owner(storage, model_id),
        size_bytes=words.size_bytes,
        royalty_gas=words.royalty_gas(height),
        activation_height=words.activation_height,
        record=record,
    )


def read_status(storage: StorageReader, model_id: bytes, height: int) -> RegistryStatus:
    """Return where a model stands at block `height`; reads two slots (MODELINFO field 0)."""
    return _read_words(storage, model_id).status(height)


def read_pending_bytes(storage: StorageReader) -> int:
    """Return the bytes of all models that wait for attestations: 0 where there are none."""
    return storage(MODEL_REGISTRY, PENDING_BYTES_SLOT)


def read_owner(storage: StorageReader, model_id: bytes) -> bytes:
    """Return who has the model's token (ERC-721), the zero address where nobody has."""
    return _address(storage(MODEL_REGISTRY, mapping_slot(TOKEN_OWNERS_SLOT, model_id)))


def read_model_ids(storage: StorageReader) -> tuple[bytes, ...]:
    """Return every model id that was ever registered, in order of first registration."""
    count = storage(MODEL_REGISTRY, MODEL_IDS_SLOT)
    slots = (array_element_slot(MODEL_IDS_SLOT, index) for index in range(count))
    return tuple(storage(MODEL_REGISTRY, slot).to_bytes(32, "big") for slot in slots)


def read_validators(storage: StorageReader, height: int) -> tuple[bytes, ...]:
    """Return the validators of block `height`, in the order of turns.

    Right in every state from two blocks before the epoch of `height` on, until a seat of that
    epoch is given free. Empty where the state has no ValidatorSet.
    """
    epoch_blocks = read_epoch_blocks(storage)
    if epoch_blocks == 0:
        return ()
    epoch = height // epoch_blocks
    return tuple(seat.validator for seat in read_seats(storage) if seat.votes_in(epoch))


def read_seats(storage: StorageReader) -> "tuple[Seat, ...]":
    """Return the list of validators, coming and gone ones included, free places left out."""
    count = storage(VALIDATOR_SET, SEATS_SLOT)
    words = (storage(VALIDATOR_SET, array_element_slot(SEATS_SLOT, i)) for i in range(count))
    return tuple(Seat.decode(word) for word in words if word)


def read_epoch_blocks(storage: StorageReader) -> int:
    """Return the blocks of an epoch; 0 where the state has no ValidatorSet."""
    return storage(VALIDATOR_SET, EPOCH_BLOCKS_SLOT)


def read_bond(storage: StorageReader) -> int:
    """Return what every validator has at stake, in wei."""
    return storage(VALIDATOR_SET, BOND_SLOT)


def read_unbonding_blocks(storage: StorageReader) -> int:
    """Return the blocks from the first height without a vote to the return of the bond."""
    return storage(VALIDATOR_SET, UNBONDING_BLOCKS_SLOT)


def read_genesis_hash(storage: StorageReader) -> bytes | None:
    """Return the hash of block 0 that votes name, or None while the contract has not kept it."""
    word = storage(VALIDATOR_SET, GENESIS_HASH_SLOT)
    return word.to_bytes(32, "big") if word else None


def read_listing(storage: StorageReader, account: bytes) -> "Listing":
    """Return what the ValidatorSet keeps of an account."""
    word = storage(VALIDATOR_SET, mapping_slot(LISTINGS_SLOT, account.rjust(32, b"\0")))
    place = word >> 128 & MAX_UINT64
    seat = None
    if place:
        seat = Seat.decode(storage(VALIDATOR_SET, array_element_slot(SEATS_SLOT, place - 1)))
    return Listing(seat, word & (2**128 - 1), bool(word >> 192 & 0xFF))


def read_activation_delay(storage: StorageReader) -> int:
    """Return the blocks between `activate` and the height at which a model is ACTIVE."""
    return storage(MODEL_REGISTRY, ACTIVATION_DELAY_SLOT)


def read_deadline(storage: StorageReader) -> int:
    """Return the blocks that a PENDING model has to be activated in."""
    return storage(MODEL_REGISTRY, DEADLINE_SLOT)


def read_registration_price(storage: StorageReader, size_bytes: int) -> tuple[int, int]:
    """Return the deposit and the fee of a model, in wei; `register` pays exactly their sum."""
    deposit = size_bytes * storage(MODEL_REGISTRY, DEPOSIT_PER_BYTE_SLOT)
    return deposit, size_bytes * storage(MODEL_REGISTRY, FEE_PER_BYTE_SLOT)


def read_refund(storage: StorageReader, owner: bytes) -> int:
    """Return the wei that an account may withdraw."""
    return storage(MODEL_REGISTRY, mapping_slot(REFUNDS_SLOT, owner.rjust(32, b"\0")))


def mapping_slot(slot: int, key: bytes) -> int:
    """Return where a mapping keeps the value of a 32-byte key."""
    return int.from_bytes(keccak256(key + slot.to_bytes(32, "big")), "big")


def array_element_slot(slot: int, index: int) -> int:
    """Return where a dynamic array of one-word elements keeps an element."""
    return (int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big") + index) % 2**256


@dataclass(frozen=True, slots=True)
class _Words:
    """The two words of an entry that most questions are answered from."""

    run: int
    registration: int

    @property
    def activation_height(self) -> int:
        return self.run & MAX_UINT64

    @property
    def retirement_height(self) -> int:
        return self.run >> 64 & MAX_UINT64

    @property
    def next_royalty_gas(self) -> int:
        return self.run >> 192

    @property
    def royalty_height(self) -> int:
        return self.registration & MAX_UINT64

    @property
    def size_bytes(self) -> int:
        return self.registration >> 64 & MAX_UINT64

    @property
    def registered_at(self) -> int:
        return self.registration >> 128 & MAX_UINT64

    @property
    def nonce(self) -> int:
        return self.registration >> 192 & _UINT32

    @property
    def stored_status(self) -> RegistryStatus:
        return RegistryStatus(self.registration >> 224 & 0xFF)

    def status(self, height: int) -> RegistryStatus:
        if 0 < self.retirement_height <= height:
            return RegistryStatus.RETIRED
        if 0 < self.activation_height <= height:
            return RegistryStatus.ACTIVE
        return self.stored_status

    def royalty_gas(self, height: int) -> int:
        is_next = height >= self.royalty_height
        return self.next_royalty_gas if is_next else self.run >> 128 & MAX_UINT64


def _read_words(storage: StorageReader, model_id: bytes) -> _Words:
    slot = mapping_slot(ENTRIES_SLOT, model_id)
    return _Words(
        storage(MODEL_REGISTRY, slot + RUN_WORD), storage(MODEL_REGISTRY, slot + REGISTRATION_WORD)
    )


def _address(word: int) -> bytes:
    return (word & (2**160 - 1)).to_bytes(20, "big")


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
