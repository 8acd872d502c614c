"""ModelRegistry.sol: what is paid and given back, royalties, retirement, limits of ACTIVE bytes."""

from collections.abc import Callable

import pytest

from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Additions
from models_registry.addresses import MODEL_REGISTRY
from models_registry.genesis import RegistryParameters
from models_registry.registry import (
    ACTIVE_BYTES_SLOT,
    RegistryStatus,
    read_active_record,
    read_entry,
    read_refund,
    read_status,
)
from models_registry.registry_calls import (
    Activated,
    Expired,
    Registered,
    Retired,
    RoyaltySet,
    Transferred,
    Withdrawn,
    encode_expire,
    encode_retire,
    encode_set_royalty,
    encode_transfer,
    encode_withdraw,
)
from tests.unit.models_registry.contract_host import Answer, Reverted
from tests.unit.models_registry.registry_chain import (
    DEADLINE,
    DEPOSIT,
    FEE,
    MODEL,
    OWNER,
    RECORD,
    RETIREMENT_DELAY,
    SIZE,
    STRANGER,
    URI,
    VALIDATOR_KEYS,
    WEALTH,
    RegistryChain,
    error_of,
    events_of,
    held,
    signatures,
)

MODEL_INFO = bytes.fromhex("0000000000000000000000000000000000000c01")
FRIEND = bytes.fromhex("0c" * 20)
MOST_ROYALTY = 2_489
"""A quarter of 9,957 compute gas, which the record's costs come to."""
NAMED = f"modelId=0x{MODEL.hex()}"
GIB = 1 << 30


@pytest.fixture
def chain() -> RegistryChain:
    return RegistryChain()


@pytest.fixture
def active(chain: RegistryChain) -> RegistryChain:
    """Height 67: the first block in which the model is ACTIVE."""
    chain.make_active(royalty_gas=100)
    return chain


def retire(chain: RegistryChain, sender: bytes = OWNER) -> Answer:
    return chain.call(sender, encode_retire(MODEL))


def expired(chain: RegistryChain) -> Answer:
    chain.commit_and_register()
    chain.height += DEADLINE + 1
    return chain.call(STRANGER, encode_expire(MODEL))


def set_royalty(chain: RegistryChain, royalty_gas: int, sender: bytes = OWNER) -> Answer:
    return chain.call(sender, encode_set_royalty(MODEL, royalty_gas))


def royalty_at(chain: RegistryChain, height: int) -> int:
    model = read_active_record(chain.storage, MODEL, height)
    assert model is not None
    return model.royalty_gas


def test_the_deposit_stays_and_the_fee_is_burned(chain: RegistryChain) -> None:
    chain.commit_and_register()
    assert chain.balance(MODEL_REGISTRY) == DEPOSIT
    assert chain.balance(bytes(20)) == FEE
    assert chain.balance(OWNER) == WEALTH - DEPOSIT - FEE
    entry = read_entry(chain.storage, MODEL, chain.height)
    assert entry is not None
    assert entry.deposit == DEPOSIT


def test_a_refused_registration_moves_nothing(chain: RegistryChain) -> None:
    chain.commit()
    with pytest.raises(Reverted):
        chain.register()
    assert chain.balance(OWNER) == WEALTH
    assert chain.balance(MODEL_REGISTRY) == 0


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(b"", id="no call"),
        pytest.param(encode_retire(MODEL), id="a function that takes no wei"),
    ],
)
def test_wei_that_is_no_registration_is_refused(chain: RegistryChain, call: bytes) -> None:
    with pytest.raises(Reverted):
        chain.call(OWNER, call, value=1)
    assert chain.balance(MODEL_REGISTRY) == 0


def test_a_deposit_is_credited_when_the_model_expires(chain: RegistryChain) -> None:
    expired(chain)
    assert read_refund(chain.storage, OWNER) == DEPOSIT
    assert chain.view(MODEL_REGISTRY, "refunds(address)", [OWNER], ["uint256"]) == DEPOSIT
    assert chain.balance(MODEL_REGISTRY) == DEPOSIT == held(chain, [OWNER])


def test_a_refund_is_paid_to_whom_the_owner_names(chain: RegistryChain) -> None:
    expired(chain)
    paid = chain.call(OWNER, encode_withdraw(FRIEND))
    assert events_of(paid) == [Withdrawn(OWNER, FRIEND, DEPOSIT)]
    assert chain.balance(FRIEND) == DEPOSIT
    assert chain.balance(MODEL_REGISTRY) == 0


def test_a_refund_is_paid_once(chain: RegistryChain) -> None:
    expired(chain)
    chain.call(OWNER, encode_withdraw(OWNER))
    again = error_of(lambda: chain.call(OWNER, encode_withdraw(OWNER)))
    assert again == f"NothingToWithdraw(owner=0x{OWNER.hex()})"
    assert chain.balance(OWNER) == WEALTH - FEE


def test_nobody_withdraws_the_refund_of_another(chain: RegistryChain) -> None:
    expired(chain)
    refused = error_of(lambda: chain.call(STRANGER, encode_withdraw(STRANGER)))
    assert refused == f"NothingToWithdraw(owner=0x{STRANGER.hex()})"


def test_refunds_of_several_models_add_up(chain: RegistryChain) -> None:
    chain.make_active()
    retire(chain)
    other = b"\x11" * 32
    chain.commit_and_register(other, size=2 * SIZE)
    chain.height += DEADLINE + 1
    chain.call(STRANGER, encode_expire(other))
    assert read_refund(chain.storage, OWNER) == 3 * DEPOSIT
    assert chain.balance(MODEL_REGISTRY) == 3 * DEPOSIT


def test_wei_that_was_forced_in_belongs_to_nobody(chain: RegistryChain) -> None:
    chain.fund(MODEL_REGISTRY, 5)
    expired(chain)
    chain.call(OWNER, encode_withdraw(OWNER))
    assert chain.balance(MODEL_REGISTRY) == 5


def test_a_model_retires_the_delay_after_its_owner_says_so(active: RegistryChain) -> None:
    assert active.height == 67
    assert events_of(retire(active)) == [Retired(MODEL, OWNER, 127, DEPOSIT)]
    heights = {height: read_status(active.storage, MODEL, height) for height in (126, 127)}
    assert heights == {126: RegistryStatus.ACTIVE, 127: RegistryStatus.RETIRED}
    assert read_refund(active.storage, OWNER) == DEPOSIT
    assert held(active, [OWNER]) == DEPOSIT


def test_a_model_retires_once(active: RegistryChain) -> None:
    retire(active)
    error = error_of(lambda: retire(active))
    assert error == f"AlreadyRetiring({NAMED}, retirementHeight=127)"
    active.height = 127
    assert error_of(lambda: retire(active)) == f"NotActive({NAMED}, status=4)"
    assert read_refund(active.storage, OWNER) == DEPOSIT


@pytest.mark.parametrize(
    "height",
    [pytest.param(3, id="pending"), pytest.param(66, id="activated, not at its height")],
)
def test_a_model_that_is_not_active_cannot_retire(chain: RegistryChain, height: int) -> None:
    chain.commit_and_register()
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = height
    assert error_of(lambda: retire(chain)) == f"NotActive({NAMED}, status=1)"


def test_the_refund_goes_to_who_owns_the_model_now(active: RegistryChain) -> None:
    active.call(OWNER, encode_transfer(OWNER, STRANGER, MODEL))
    assert events_of(retire(active, STRANGER)) == [Retired(MODEL, STRANGER, 127, DEPOSIT)]
    assert read_refund(active.storage, STRANGER) == DEPOSIT
    assert read_refund(active.storage, OWNER) == 0


def test_a_model_that_is_retiring_cannot_be_registered(active: RegistryChain) -> None:
    retire(active)
    active.height = 124
    error = error_of(lambda: active.commit_and_register(owner=STRANGER))
    assert error == f"AlreadyRegistered({NAMED}, status=2)"


def test_a_retired_model_begins_anew_with_whoever_registers_it(active: RegistryChain) -> None:
    retire(active)
    active.height = 127
    answer = active.commit_and_register(owner=STRANGER, royalty_gas=9)
    assert events_of(answer) == [
        Transferred(OWNER, bytes(20), MODEL),
        Transferred(bytes(20), STRANGER, MODEL),
        Registered(MODEL, STRANGER, SIZE, 9, URI, 2, DEPOSIT, FEE),
    ]
    entry = read_entry(active.storage, MODEL, active.height)
    assert entry is not None
    assert (entry.status, entry.owner, entry.nonce) == (RegistryStatus.PENDING, STRANGER, 2)
    assert (entry.activation_height, entry.retirement_height, entry.record) == (0, 0, None)
    assert (entry.royalty_gas, entry.next_royalty_gas, entry.royalty_height) == (9, 9, 0)
    assert active.view(MODEL_REGISTRY, "modelCount()", [], ["uint256"]) == 1
    assert active.balance(MODEL_REGISTRY) == 2 * DEPOSIT == held(active, [OWNER])
    activated = active.activate(signatures(*VALIDATOR_KEYS, nonce=2))
    assert events_of(activated) == [Activated(MODEL, RECORD.hash, 193, RECORD.encode())]


def test_active_bytes_grow_at_activation_and_fall_at_retirement(active: RegistryChain) -> None:
    assert active.storage(MODEL_REGISTRY, ACTIVE_BYTES_SLOT) == SIZE
    retire(active)
    assert active.view(MODEL_REGISTRY, "activeBytes()", [], ["uint256"]) == 0


@pytest.mark.parametrize(
    ("others", "fits"),
    [
        pytest.param(64 * GIB - SIZE, True, id="to the last byte"),
        pytest.param(64 * GIB - SIZE + 1, False, id="a byte over"),
    ],
)
def test_active_models_have_at_most_64_gib_together(
    chain: RegistryChain, others: int, fits: bool
) -> None:
    chain.write(MODEL_REGISTRY, ACTIVE_BYTES_SLOT, others)
    chain.commit_and_register()
    if fits:
        chain.activate(signatures(*VALIDATOR_KEYS))
        assert chain.storage(MODEL_REGISTRY, ACTIVE_BYTES_SLOT) == 64 * GIB
    else:
        error = error_of(lambda: chain.activate(signatures(*VALIDATOR_KEYS)))
        assert error == f"TooManyActiveBytes(total={64 * GIB + 1}, max={64 * GIB})"


def test_a_royalty_changes_the_delay_after_its_owner_says_so(active: RegistryChain) -> None:
    assert events_of(set_royalty(active, 200)) == [RoyaltySet(MODEL, 200, 77)]
    assert [royalty_at(active, height) for height in (67, 76, 77, 1000)] == [100, 100, 200, 200]


def test_a_change_before_the_last_took_effect_replaces_it(active: RegistryChain) -> None:
    set_royalty(active, 200)
    active.height = 70
    set_royalty(active, 300)
    assert [royalty_at(active, height) for height in (77, 79, 80)] == [100, 100, 300]


def test_a_change_after_the_last_took_effect_follows_it(active: RegistryChain) -> None:
    set_royalty(active, 200)
    active.height = 77
    set_royalty(active, 0)
    assert [royalty_at(active, height) for height in (77, 86, 87)] == [200, 200, 0]


def test_a_royalty_is_at_most_a_quarter_of_the_compute_gas(active: RegistryChain) -> None:
    set_royalty(active, MOST_ROYALTY)
    error = error_of(lambda: set_royalty(active, MOST_ROYALTY + 1))
    assert error == f"RoyaltyTooHigh(given={MOST_ROYALTY + 1}, max={MOST_ROYALTY})"


def test_a_model_that_is_retiring_keeps_its_royalty_rules(active: RegistryChain) -> None:
    retire(active)
    assert events_of(set_royalty(active, 1)) == [RoyaltySet(MODEL, 1, 77)]
    active.height += RETIREMENT_DELAY
    assert error_of(lambda: set_royalty(active, 2)) == f"NotActive({NAMED}, status=4)"


def test_only_an_active_model_changes_its_royalty(chain: RegistryChain) -> None:
    chain.commit_and_register()
    assert error_of(lambda: set_royalty(chain, 1)) == f"NotActive({NAMED}, status=1)"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"", id="nothing there"),
        pytest.param(bytes.fromhex("601f5ff3"), id="31 bytes"),
        pytest.param(bytes.fromhex("60215ff3"), id="33 bytes"),
        pytest.param(bytes.fromhex("60205ffd"), id="reverts"),
    ],
)
def test_a_chain_without_modelinfo_changes_no_royalty(code: bytes) -> None:
    chain = RegistryChain(additions=Additions())
    chain.make_active()
    chain.place(MODEL_INFO, code)
    assert error_of(lambda: set_royalty(chain, 0)) == f"NoModelInfo({NAMED})"


def answers_only(calldata: bytes, answer: int) -> bytes:
    """Return code that gives a word for exactly this calldata and reverts for any other."""
    expected = keccak256(calldata)
    digest = bytes.fromhex("365f5f37365f20")  # keccak256 of the calldata
    check = b"\x7f" + expected + bytes.fromhex("14602f575f5ffd5b")
    assert len(digest + check) == 0x30
    return digest + check + b"\x61" + answer.to_bytes(2, "big") + bytes.fromhex("5f5260205ff3")


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        pytest.param(3, 0, id="less than four"),
        pytest.param(4, 1, id="four"),
        pytest.param(403, 100, id="rounded down"),
    ],
)
def test_the_bound_is_what_modelinfo_says_by_four(answer: int, most: int) -> None:
    chain = RegistryChain(additions=Additions())
    chain.make_active()
    code = answers_only(MODEL + (1).to_bytes(32, "big"), answer)
    chain.place(MODEL_INFO, code)
    set_royalty(chain, most)
    error = error_of(lambda: set_royalty(chain, most + 1))
    assert error == f"RoyaltyTooHigh(given={most + 1}, max={most})"


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda chain: retire(chain), id="retire"),
        pytest.param(lambda chain: set_royalty(chain, 1), id="setRoyalty"),
    ],
)
def test_a_model_that_nobody_has_cannot_be_changed(
    chain: RegistryChain, call: Callable[[RegistryChain], Answer]
) -> None:
    token = int.from_bytes(MODEL, "big")
    assert error_of(lambda: call(chain)) == f"ERC721NonexistentToken(tokenId={token})"
    expired(chain)
    assert error_of(lambda: call(chain)) == f"ERC721NonexistentToken(tokenId={token})"


def test_an_expired_model_says_whose_it_was(chain: RegistryChain) -> None:
    assert events_of(expired(chain)) == [
        Transferred(OWNER, bytes(20), MODEL),
        Expired(MODEL, OWNER, DEPOSIT),
    ]


def test_a_model_can_be_registered_for_nothing_where_a_chain_asks_for_nothing() -> None:
    chain = RegistryChain(parameters=RegistryParameters(deposit_per_byte=0, fee_per_byte=0))
    chain.make_active()
    retire(chain)
    assert chain.balance(MODEL_REGISTRY) == 0
    assert chain.balance(OWNER) == WEALTH
