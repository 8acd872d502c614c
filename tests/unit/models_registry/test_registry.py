"""The storage readers agree with the contract's own views, and with its compiled layout."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from models_registry import registry
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.artifact import load_artifact
from models_registry.record import MAX_RECORD_BYTES
from models_registry.registry import (
    ActiveModel,
    RegistryEntry,
    RegistryStatus,
    read_activation_delay,
    read_active_record,
    read_deadline,
    read_entry,
    read_model_ids,
    read_owner,
    read_refund,
    read_registration_price,
    read_status,
    read_validators,
)
from models_registry.registry_calls import (
    encode_expire,
    encode_retire,
    encode_set_royalty,
    encode_transfer,
)
from opcodes.gas import MAX_ROYALTY_DIVISOR
from tests.unit.models_registry.registry_chain import (
    ACTIVATION_DELAY,
    DEADLINE,
    DEPOSIT,
    DEPOSIT_PER_BYTE,
    FEE,
    FEE_PER_BYTE,
    MODEL,
    OWNER,
    RECORD,
    RETIREMENT_DELAY,
    ROYALTY_DELAY,
    SIZE,
    STRANGER,
    URI,
    VALIDATOR_KEYS,
    RegistryChain,
    address_of,
    signatures,
)

MODEL_TUPLE = (
    "(bytes32,address,uint64,uint64,string,uint64,uint8,uint64,uint64,"
    "uint64,uint64,uint64,uint256,bytes32,bytes)"
)
PENDING_ENTRY = RegistryEntry(
    model_id=MODEL,
    owner=OWNER,
    size_bytes=SIZE,
    royalty_gas=7,
    uri=URI,
    nonce=1,
    status=RegistryStatus.PENDING,
    activation_height=0,
    retirement_height=0,
    registered_at=3,
    next_royalty_gas=7,
    royalty_height=0,
    deposit=DEPOSIT,
    record=None,
)


def entry_by_view(chain: RegistryChain) -> RegistryEntry:
    """Return what the contract's `getModel` says, as an entry."""
    view: tuple[Any, ...] = chain.view(MODEL_REGISTRY, "getModel(bytes32)", [MODEL], [MODEL_TUPLE])
    model_id, owner, size, royalty_gas, uri, nonce, status, registered, activation = view[:9]
    retirement, next_royalty, royalty_height, deposit, record_hash, record = view[9:]
    assert record_hash == (RECORD.hash if record else bytes(32))
    return RegistryEntry(
        model_id=model_id,
        owner=bytes.fromhex(owner[2:]),
        size_bytes=size,
        royalty_gas=royalty_gas,
        uri=uri,
        nonce=nonce,
        status=RegistryStatus(status),
        activation_height=activation,
        retirement_height=retirement,
        registered_at=registered,
        next_royalty_gas=next_royalty,
        royalty_height=royalty_height,
        deposit=deposit,
        record=RECORD if record == RECORD.encode() else None,
    )


@pytest.fixture
def chain() -> RegistryChain:
    chain = RegistryChain()
    chain.commit_and_register(royalty_gas=7)
    return chain


def test_nothing_is_known_of_a_model_before_it_is_registered() -> None:
    chain = RegistryChain()
    assert read_entry(chain.storage, MODEL, 1) is None
    assert read_active_record(chain.storage, MODEL, 1) is None
    assert read_status(chain.storage, MODEL, 1) is RegistryStatus.NONE
    assert read_model_ids(chain.storage) == ()


def test_a_pending_model_reads_as_the_view_gives_it(chain: RegistryChain) -> None:
    entry = read_entry(chain.storage, MODEL, chain.height)
    assert entry == entry_by_view(chain)
    assert entry == PENDING_ENTRY
    assert read_active_record(chain.storage, MODEL, 2**63) is None


@pytest.mark.parametrize(
    ("height", "status"),
    [
        pytest.param(66, RegistryStatus.PENDING, id="before its height"),
        pytest.param(67, RegistryStatus.ACTIVE, id="at its height"),
        pytest.param(10**6, RegistryStatus.ACTIVE, id="long after"),
    ],
)
def test_an_activated_model_reads_as_the_view_gives_it(
    chain: RegistryChain, height: int, status: RegistryStatus
) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = height
    entry = read_entry(chain.storage, MODEL, height)
    assert entry == entry_by_view(chain)
    assert entry == replace(PENDING_ENTRY, status=status, activation_height=67, record=RECORD)
    assert read_status(chain.storage, MODEL, height) is status


def test_an_expired_model_reads_as_the_view_gives_it(chain: RegistryChain) -> None:
    chain.height += DEADLINE + 1
    chain.send(STRANGER, MODEL_REGISTRY, encode_expire(MODEL))
    entry = read_entry(chain.storage, MODEL, chain.height)
    assert entry == entry_by_view(chain)
    assert entry == replace(
        PENDING_ENTRY, status=RegistryStatus.EXPIRED, owner=bytes(20), deposit=0
    )
    assert read_active_record(chain.storage, MODEL, chain.height) is None
    assert read_owner(chain.storage, MODEL) == bytes(20)
    assert read_refund(chain.storage, OWNER) == DEPOSIT


@pytest.mark.parametrize(
    ("height", "status"),
    [
        pytest.param(126, RegistryStatus.ACTIVE, id="before its height"),
        pytest.param(127, RegistryStatus.RETIRED, id="at its height"),
        pytest.param(10**6, RegistryStatus.RETIRED, id="long after"),
    ],
)
def test_a_retired_model_reads_as_the_view_gives_it(
    chain: RegistryChain, height: int, status: RegistryStatus
) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = 67
    chain.call(OWNER, encode_retire(MODEL))
    chain.height = height
    entry = read_entry(chain.storage, MODEL, height)
    assert entry == entry_by_view(chain)
    assert entry == replace(
        PENDING_ENTRY,
        status=status,
        activation_height=67,
        retirement_height=127,
        deposit=0,
        record=RECORD,
    )
    assert read_status(chain.storage, MODEL, height) is status
    is_active = read_active_record(chain.storage, MODEL, height) is not None
    assert is_active == (status is RegistryStatus.ACTIVE)


@pytest.mark.parametrize(
    ("height", "royalty"),
    [pytest.param(76, 7, id="before its height"), pytest.param(77, 30, id="at its height")],
)
def test_a_changed_royalty_reads_as_the_view_gives_it(
    chain: RegistryChain, height: int, royalty: int
) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = 67
    chain.call(OWNER, encode_set_royalty(MODEL, 30))
    chain.height = height
    entry = read_entry(chain.storage, MODEL, height)
    assert entry == entry_by_view(chain)
    assert entry == replace(
        PENDING_ENTRY,
        status=RegistryStatus.ACTIVE,
        activation_height=67,
        royalty_gas=royalty,
        next_royalty_gas=30,
        royalty_height=77,
        record=RECORD,
    )
    active = read_active_record(chain.storage, MODEL, height)
    assert active == ActiveModel(MODEL, OWNER, SIZE, royalty, 67, RECORD)


def test_who_has_the_token_is_the_owner(chain: RegistryChain) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = 67
    chain.call(OWNER, encode_transfer(OWNER, STRANGER, MODEL))
    assert read_owner(chain.storage, MODEL) == STRANGER
    active = read_active_record(chain.storage, MODEL, 67)
    assert active == ActiveModel(MODEL, STRANGER, SIZE, 7, 67, RECORD)


def test_opcodes_see_a_model_from_its_activation_height_on(chain: RegistryChain) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    assert read_active_record(chain.storage, MODEL, 66) is None
    active = read_active_record(chain.storage, MODEL, 67)
    assert active == ActiveModel(MODEL, OWNER, SIZE, 7, 67, RECORD)


def test_an_inference_reads_few_slots(chain: RegistryChain) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS))
    reads: list[int] = []

    def counting(address: bytes, slot: int, /) -> int:
        reads.append(slot)
        return chain.storage(address, slot)

    assert read_active_record(counting, MODEL, 67) is not None
    assert len(reads) == 7  # two words, the owner, the record's length and its 78 bytes


def test_signed_bytes_that_are_no_record_leave_a_model_that_nobody_can_run(
    chain: RegistryChain,
) -> None:
    chain.activate(signatures(*VALIDATOR_KEYS, record=b"no record"), b"no record")
    assert read_active_record(chain.storage, MODEL, 67) is None
    entry = read_entry(chain.storage, MODEL, 67)
    assert entry is not None
    assert entry.record is None
    assert entry.status is RegistryStatus.ACTIVE


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("", id="empty"),
        pytest.param("u" * 31, id="short form, longest"),
        pytest.param("u" * 32, id="long form, shortest"),
        pytest.param("u" * 256, id="longest"),
        pytest.param("żółw", id="not ASCII"),
    ],
)
def test_a_uri_of_every_form_reads_back(uri: str) -> None:
    chain = RegistryChain()
    chain.commit()
    chain.height += 2
    chain.register(uri=uri)
    entry = read_entry(chain.storage, MODEL, chain.height)
    assert entry is not None
    assert entry.uri == uri


def test_models_are_listed_in_order_of_registration() -> None:
    chain = RegistryChain()
    ids = [bytes([9]) * 32, bytes([1]) * 32, bytes([5]) * 32]
    for model_id in ids:
        chain.commit_and_register(model_id)
    assert read_model_ids(chain.storage) == tuple(ids)


def test_validators_read_as_the_views_give_them() -> None:
    chain = RegistryChain()
    validators = read_validators(chain.storage, chain.height)
    assert validators == tuple(address_of(key) for key in VALIDATOR_KEYS)
    listed = chain.view(VALIDATOR_SET, "validators()", [], ["address[]"])
    assert tuple(bytes.fromhex(address[2:]) for address in listed) == validators
    assert chain.view(VALIDATOR_SET, "validatorCount()", [], ["uint256"]) == 4
    assert chain.view(VALIDATOR_SET, "isValidator(address)", [validators[3]], ["bool"]) is True
    assert chain.view(VALIDATOR_SET, "isValidator(address)", [STRANGER], ["bool"]) is False
    third = chain.view(VALIDATOR_SET, "validatorAt(uint256)", [2], ["address"])
    assert bytes.fromhex(third[2:]) == validators[2]


def test_parameters_of_the_genesis_read_back() -> None:
    chain = RegistryChain()
    assert read_activation_delay(chain.storage) == ACTIVATION_DELAY
    assert read_deadline(chain.storage) == DEADLINE
    assert read_registration_price(chain.storage, SIZE) == (DEPOSIT, FEE)
    views = {
        "retirementDelay()": RETIREMENT_DELAY,
        "royaltyDelay()": ROYALTY_DELAY,
        "depositPerByte()": DEPOSIT_PER_BYTE,
        "feePerByte()": FEE_PER_BYTE,
    }
    assert {name: chain.view(MODEL_REGISTRY, name, [], ["uint256"]) for name in views} == views
    assert chain.view(MODEL_REGISTRY, "activationDelay()", [], ["uint256"]) == ACTIVATION_DELAY
    assert chain.view(MODEL_REGISTRY, "deadline()", [], ["uint256"]) == DEADLINE


def test_slots_are_those_that_solc_laid_out() -> None:
    layout = load_artifact("ModelRegistry").storage_layout["storage"]
    assert {variable["label"]: int(variable["slot"]) for variable in layout} == {
        "validatorSet": registry.VALIDATOR_SET_SLOT,
        "activationDelay": registry.ACTIVATION_DELAY_SLOT,
        "deadline": registry.DEADLINE_SLOT,
        "retirementDelay": registry.RETIREMENT_DELAY_SLOT,
        "royaltyDelay": registry.ROYALTY_DELAY_SLOT,
        "depositPerByte": registry.DEPOSIT_PER_BYTE_SLOT,
        "feePerByte": registry.FEE_PER_BYTE_SLOT,
        "_name": 7,
        "_symbol": 8,
        "_owners": registry.TOKEN_OWNERS_SLOT,
        "_balances": 10,
        "_tokenApprovals": 11,
        "_operatorApprovals": 12,
        "_defaultRoyaltyInfo": 13,
        "_tokenRoyaltyInfo": 14,
        "pendingBytes": registry.PENDING_BYTES_SLOT,
        "activeBytes": registry.ACTIVE_BYTES_SLOT,
        "_modelIds": registry.MODEL_IDS_SLOT,
        "_entries": registry.ENTRIES_SLOT,
        "committedAt": registry.COMMITTED_AT_SLOT,
        "pendingOf": registry.PENDING_OF_SLOT,
        "refunds": registry.REFUNDS_SLOT,
    }
    layout = load_artifact("ValidatorSet").storage_layout["storage"]
    assert {variable["label"]: int(variable["slot"]) for variable in layout} == {
        "_seats": registry.SEATS_SLOT,
        "bond": registry.BOND_SLOT,
        "epochBlocks": registry.EPOCH_BLOCKS_SLOT,
        "unbondingBlocks": registry.UNBONDING_BLOCKS_SLOT,
        "genesisHash": registry.GENESIS_HASH_SLOT,
        "_queue": registry.QUEUE_SLOT,
        "_stranded": registry.STRANDED_SLOT,
        "firstKnownEpoch": registry.FIRST_KNOWN_EPOCH_SLOT,
        "_freePlaces": registry.FREE_PLACES_SLOT,
        "_listings": registry.LISTINGS_SLOT,
        "_absences": registry.ABSENCES_SLOT,
    }


def test_words_of_an_entry_are_those_that_solc_laid_out() -> None:
    types = load_artifact("ModelRegistry").storage_layout["types"]
    members = types["t_struct(Entry)_storage"]["members"]
    assert {m["label"]: (int(m["slot"]), m["offset"]) for m in members} == {
        "activationHeight": (registry.RUN_WORD, 0),
        "retirementHeight": (registry.RUN_WORD, 8),
        "royaltyGas": (registry.RUN_WORD, 16),
        "nextRoyaltyGas": (registry.RUN_WORD, 24),
        "royaltyHeight": (registry.REGISTRATION_WORD, 0),
        "size": (registry.REGISTRATION_WORD, 8),
        "registeredAt": (registry.REGISTRATION_WORD, 16),
        "nonce": (registry.REGISTRATION_WORD, 24),
        "status": (registry.REGISTRATION_WORD, 28),
        "deposit": (registry.DEPOSIT_WORD, 0),
        "recordHash": (registry.RECORD_HASH_WORD, 0),
        "uri": (registry.URI_WORD, 0),
        "record": (registry.RECORD_WORD, 0),
    }


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        pytest.param("MAX_URI_BYTES", registry.MAX_URI_BYTES, id="uri"),
        pytest.param("MAX_RECORD_BYTES", MAX_RECORD_BYTES, id="record"),
        pytest.param("MAX_MODEL_BYTES", 64 << 20, id="model"),
        pytest.param("COMMIT_BLOCKS", 2, id="commit"),
        pytest.param("COMPUTE_PER_ROYALTY", MAX_ROYALTY_DIVISOR, id="royalty"),
        pytest.param("MAX_ACTIVE_BYTES", 64 << 30, id="active"),
    ],
)
def test_limits_are_those_of_the_contract(constant: str, value: int) -> None:
    chain = RegistryChain()
    assert chain.view(MODEL_REGISTRY, f"{constant}()", [], ["uint256"]) == value


def test_entries_are_values() -> None:
    with pytest.raises(FrozenInstanceError):
        PENDING_ENTRY.nonce = 2  # type: ignore[misc]
