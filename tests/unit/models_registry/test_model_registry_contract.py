"""ModelRegistry.sol from a commitment to ACTIVE or EXPIRED, branch by branch."""

from collections.abc import Callable

import pytest

from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest
from models_registry.registry import RegistryStatus
from models_registry.registry_calls import (
    Activated,
    Committed,
    Expired,
    Registered,
    Transferred,
    commitment,
    encode_expire,
)
from tests.unit.models_registry.contract_host import CHAIN_ID, Answer
from tests.unit.models_registry.registry_chain import (
    ACTIVATION_DELAY,
    DEADLINE,
    DEPOSIT,
    FEE,
    FOREIGN_KEY,
    MODEL,
    OWNER,
    RECORD,
    SALT,
    SIZE,
    STRANGER,
    URI,
    VALIDATOR_KEYS,
    RegistryChain,
    address_of,
    error_of,
    events_of,
    signatures,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MIB = 1 << 20
ACTIVATED = Activated(MODEL, RECORD.hash, 67, RECORD.encode())
COMMITMENT = commitment(MODEL, OWNER, SALT)


@pytest.fixture
def chain() -> RegistryChain:
    return RegistryChain()


@pytest.fixture
def pending(chain: RegistryChain) -> RegistryChain:
    chain.commit_and_register()
    return chain


def status(chain: RegistryChain) -> RegistryStatus:
    return RegistryStatus(chain.view(MODEL_REGISTRY, "status(bytes32)", [MODEL], ["uint8"]))


def model_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def owner_of(number: int) -> bytes:
    return b"\x0e" * 19 + bytes([number])


def expire(chain: RegistryChain) -> Answer:
    return chain.send(STRANGER, MODEL_REGISTRY, encode_expire(MODEL))


def test_a_model_is_pending_two_blocks_after_its_commitment(chain: RegistryChain) -> None:
    chain.commit()
    assert status(chain) is RegistryStatus.NONE
    chain.height += 2
    assert events_of(chain.register(royalty_gas=5)) == [
        Transferred(bytes(20), OWNER, MODEL),
        Registered(MODEL, OWNER, SIZE, 5, URI, 1, DEPOSIT, FEE),
    ]
    assert status(chain) is RegistryStatus.PENDING
    assert chain.view(MODEL_REGISTRY, "modelCount()", [], ["uint256"]) == 1
    assert chain.view(MODEL_REGISTRY, "modelAt(uint256)", [0], ["bytes32"]) == MODEL


def test_a_commitment_is_logged_and_its_height_kept(chain: RegistryChain) -> None:
    chain.height = 7
    data = bytes.fromhex("f14fcbc8") + COMMITMENT
    assert events_of(chain.call(STRANGER, data)) == [Committed(COMMITMENT, STRANGER)]
    assert chain.view(MODEL_REGISTRY, "committedAt(bytes32)", [COMMITMENT], ["uint256"]) == 7


def test_somebody_who_copies_a_commitment_neither_delays_nor_takes_the_model(
    chain: RegistryChain,
) -> None:
    chain.commit(sender=STRANGER)
    assert error_of(chain.commit) == f"AlreadyCommitted(commitment=0x{COMMITMENT.hex()}, height=1)"
    chain.height += 2
    foreign = commitment(MODEL, STRANGER, SALT).hex()
    taken = error_of(lambda: chain.register(owner=STRANGER))
    assert taken == f"NoCommitment(commitment=0x{foreign})"
    chain.register()
    assert status(chain) is RegistryStatus.PENDING


def test_a_commitment_opens_once(pending: RegistryChain) -> None:
    assert error_of(pending.register) == f"NoCommitment(commitment=0x{COMMITMENT.hex()})"


@pytest.mark.parametrize("blocks", [pytest.param(0, id="same block"), pytest.param(1, id="next")])
def test_a_commitment_opens_no_earlier_than_two_blocks_later(
    chain: RegistryChain, blocks: int
) -> None:
    chain.commit()
    chain.height += blocks
    assert error_of(chain.register) == (
        f"CommitmentTooFresh(commitment=0x{COMMITMENT.hex()}, committedHeight=1, earliestHeight=3)"
    )


@pytest.mark.parametrize(
    ("register", "error"),
    [
        pytest.param({"size": 0}, f"BadSize(given=0, max={64 * MIB})", id="empty"),
        pytest.param(
            {"size": 64 * MIB + 1}, f"BadSize(given={64 * MIB + 1}, max={64 * MIB})", id="too large"
        ),
        pytest.param(
            {"payment": DEPOSIT + FEE - 1},
            f"WrongPayment(given={DEPOSIT + FEE - 1}, due={DEPOSIT + FEE})",
            id="a wei too little",
        ),
        pytest.param(
            {"payment": DEPOSIT + FEE + 1},
            f"WrongPayment(given={DEPOSIT + FEE + 1}, due={DEPOSIT + FEE})",
            id="a wei too much",
        ),
        pytest.param({"uri": "u" * 257}, "UriTooLong(given=257, max=256)", id="uri"),
    ],
)
def test_register_refuses(chain: RegistryChain, register: dict[str, int], error: str) -> None:
    chain.commit()
    chain.height += 2
    assert error_of(lambda: chain.register(**register)) == error  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [pytest.param(1, id="least"), pytest.param(64 * MIB, id="most")])
def test_register_takes_every_size_in_the_limits(chain: RegistryChain, size: int) -> None:
    chain.commit_and_register(size=size)
    assert chain.view(MODEL_REGISTRY, "pendingBytes()", [], ["uint256"]) == size


def test_a_model_that_is_pending_cannot_be_registered_by_another(pending: RegistryChain) -> None:
    error = error_of(lambda: pending.commit_and_register(owner=STRANGER))
    assert error == f"AlreadyRegistered(modelId=0x{MODEL.hex()}, status=1)"


def test_a_model_that_is_active_cannot_be_registered_again(pending: RegistryChain) -> None:
    pending.activate(signatures(*VALIDATOR_KEYS))
    pending.height += ACTIVATION_DELAY
    error = error_of(lambda: pending.commit_and_register(owner=STRANGER))
    assert error == f"AlreadyRegistered(modelId=0x{MODEL.hex()}, status=2)"


def test_an_owner_has_at_most_four_pending_models(chain: RegistryChain) -> None:
    for number in range(4):
        chain.commit_and_register(model_of(number))
    error = error_of(lambda: chain.commit_and_register(model_of(4)))
    assert error == f"TooManyPendingModels(owner=0x{OWNER.hex()}, max=4)"
    chain.commit_and_register(model_of(5), STRANGER)
    assert chain.view(MODEL_REGISTRY, "modelCount()", [], ["uint256"]) == 5


def test_pending_models_have_at_most_256_mib_together(chain: RegistryChain) -> None:
    for number in range(5):
        chain.fund(owner_of(number), 10**18)
    for number in range(4):
        chain.commit_and_register(model_of(number), owner_of(number), 64 * MIB)
    error = error_of(lambda: chain.commit_and_register(model_of(4), owner_of(4), 1))
    assert error == f"TooManyPendingBytes(total={256 * MIB + 1}, max={256 * MIB})"


def test_activation_and_expiry_free_the_room_of_pending_models(pending: RegistryChain) -> None:
    pending.activate(signatures(*VALIDATOR_KEYS))
    assert pending.view(MODEL_REGISTRY, "pendingBytes()", [], ["uint256"]) == 0
    assert pending.view(MODEL_REGISTRY, "pendingOf(address)", [OWNER], ["uint256"]) == 0

    late = RegistryChain()
    late.commit_and_register()
    late.height += DEADLINE + 1
    expire(late)
    assert late.view(MODEL_REGISTRY, "pendingBytes()", [], ["uint256"]) == 0
    assert late.view(MODEL_REGISTRY, "pendingOf(address)", [OWNER], ["uint256"]) == 0


def test_a_model_is_active_the_delay_after_its_activation(pending: RegistryChain) -> None:
    assert pending.height == 3
    assert events_of(pending.activate(signatures(*VALIDATOR_KEYS))) == [ACTIVATED]
    pending.height = 66
    assert status(pending) is RegistryStatus.PENDING
    pending.height = 67
    assert status(pending) is RegistryStatus.ACTIVE


@pytest.mark.parametrize(
    ("validators", "signed", "is_enough"),
    [
        pytest.param(1, 0, False, id="0 of 1"),
        pytest.param(1, 1, True, id="1 of 1"),
        pytest.param(2, 1, False, id="1 of 2"),
        pytest.param(2, 2, True, id="2 of 2"),
        pytest.param(3, 2, False, id="2 of 3"),
        pytest.param(3, 3, True, id="3 of 3"),
        pytest.param(4, 2, False, id="2 of 4"),
        pytest.param(4, 3, True, id="3 of 4"),
        pytest.param(4, 4, True, id="4 of 4"),
    ],
)
def test_more_than_two_thirds_must_sign(validators: int, signed: int, is_enough: bool) -> None:
    chain = RegistryChain(validators)
    chain.commit_and_register()
    attestations = signatures(*VALIDATOR_KEYS[:signed])
    if is_enough:
        assert events_of(chain.activate(attestations)) == [ACTIVATED]
    else:
        error = error_of(lambda: chain.activate(attestations))
        assert error == f"TooFewSignatures(given={signed}, validators={validators})"


def test_signers_in_the_wrong_order_are_refused(pending: RegistryChain) -> None:
    first, second, third = VALIDATOR_KEYS[:3]
    error = error_of(lambda: pending.activate(signatures(first, third, second)))
    assert error == f"SignersNotInOrder(signer=0x{address_of(second).hex()}, index=1)"


def test_a_signer_counts_once(pending: RegistryChain) -> None:
    first, second = VALIDATOR_KEYS[:2]
    error = error_of(lambda: pending.activate(signatures(first, second, second)))
    assert error == f"SignersNotInOrder(signer=0x{address_of(second).hex()}, index=1)"


def test_only_validators_count(pending: RegistryChain) -> None:
    attestations = signatures(*VALIDATOR_KEYS[:2], FOREIGN_KEY)
    error = error_of(lambda: pending.activate(attestations))
    assert error == f"NotValidator(signer=0x{address_of(FOREIGN_KEY).hex()})"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"nonce": 2}, id="another registration"),
        pytest.param({"chain_id": CHAIN_ID + 1}, id="another chain"),
        pytest.param({"record": b"other"}, id="another record"),
    ],
)
def test_a_signature_counts_for_what_was_signed_only(
    pending: RegistryChain, other: dict[str, int]
) -> None:
    attestations = signatures(*VALIDATOR_KEYS, **other)  # type: ignore[arg-type]
    # What is recovered is some address that nobody has.
    assert error_of(lambda: pending.activate(attestations)).startswith("NotValidator(")
    assert status(pending) is RegistryStatus.PENDING


def test_the_larger_of_the_two_possible_s_is_refused(pending: RegistryChain) -> None:
    first, *others = signatures(*VALIDATOR_KEYS)
    s = ORDER - int.from_bytes(first[32:64], "big")
    high = first[:32] + s.to_bytes(32, "big") + bytes([55 - first[64]])
    error = error_of(lambda: pending.activate((high, *others)))
    assert error == f"SignatureNotLowS(index=0, s={s})"


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        pytest.param(lambda good: good[:64], "BadSignatureLength(index=3, length=64)", id="short"),
        pytest.param(
            lambda good: good + b"\x00", "BadSignatureLength(index=3, length=66)", id="long"
        ),
        pytest.param(lambda good: good[:64] + b"\x00", "NotASignature(index=3)", id="v of 0"),
        pytest.param(lambda good: bytes(64) + b"\x1b", "NotASignature(index=3)", id="r of 0"),
    ],
)
def test_what_is_no_signature_is_refused(
    pending: RegistryChain, damage: Callable[[bytes], bytes], error: str
) -> None:
    *others, last = signatures(*VALIDATOR_KEYS)
    assert error_of(lambda: pending.activate((*others, damage(last)))) == error


def test_a_record_has_at_most_512_bytes(pending: RegistryChain) -> None:
    record = b"r" * 513
    attestations = signatures(*VALIDATOR_KEYS, record=record)
    error = error_of(lambda: pending.activate(attestations, record))
    assert error == "RecordTooLong(given=513, max=512)"


def test_only_a_registered_model_can_be_activated(chain: RegistryChain) -> None:
    error = error_of(lambda: chain.activate(signatures(*VALIDATOR_KEYS)))
    assert error == f"NotPending(modelId=0x{MODEL.hex()}, status=0)"


def test_a_model_is_activated_once(pending: RegistryChain) -> None:
    pending.activate(signatures(*VALIDATOR_KEYS))
    error = error_of(lambda: pending.activate(signatures(*VALIDATOR_KEYS)))
    assert error == f"AlreadyActivated(modelId=0x{MODEL.hex()}, activationHeight=67)"


def test_activation_goes_through_up_to_the_deadline_and_not_past_it(
    pending: RegistryChain,
) -> None:
    pending.height = 3 + DEADLINE + 1
    error = error_of(lambda: pending.activate(signatures(*VALIDATOR_KEYS)))
    assert error == f"DeadlinePassed(modelId=0x{MODEL.hex()}, lastHeight=1003)"
    pending.height = 3 + DEADLINE
    pending.activate(signatures(*VALIDATOR_KEYS))


def test_anyone_may_expire_a_model_past_its_deadline_and_not_before(pending: RegistryChain) -> None:
    pending.height = 3 + DEADLINE
    error = error_of(lambda: expire(pending))
    assert error == f"DeadlineNotPassed(modelId=0x{MODEL.hex()}, lastHeight=1003)"
    pending.height += 1
    assert events_of(expire(pending)) == [
        Transferred(OWNER, bytes(20), MODEL),
        Expired(MODEL, OWNER, DEPOSIT),
    ]
    assert status(pending) is RegistryStatus.EXPIRED


def test_an_activated_model_never_expires(pending: RegistryChain) -> None:
    pending.activate(signatures(*VALIDATOR_KEYS))
    pending.height += DEADLINE + 1
    error = error_of(lambda: expire(pending))
    assert error == f"AlreadyActivated(modelId=0x{MODEL.hex()}, activationHeight=67)"


def test_what_was_never_registered_cannot_expire(chain: RegistryChain) -> None:
    error = error_of(lambda: expire(chain))
    assert error == f"NotPending(modelId=0x{MODEL.hex()}, status=0)"


def test_an_expired_model_is_registered_again_under_the_next_nonce(pending: RegistryChain) -> None:
    pending.height += DEADLINE + 1
    expire(pending)
    assert events_of(pending.commit_and_register(owner=STRANGER)) == [
        Transferred(bytes(20), STRANGER, MODEL),
        Registered(MODEL, STRANGER, SIZE, 0, URI, 2, DEPOSIT, FEE),
    ]
    assert pending.view(MODEL_REGISTRY, "modelCount()", [], ["uint256"]) == 1
    old = error_of(lambda: pending.activate(signatures(*VALIDATOR_KEYS, nonce=1)))
    assert old.startswith("NotValidator(")
    pending.activate(signatures(*VALIDATOR_KEYS, nonce=2))
    pending.height += ACTIVATION_DELAY
    assert status(pending) is RegistryStatus.ACTIVE


def test_an_index_past_the_last_model_is_refused(pending: RegistryChain) -> None:
    view = lambda: pending.view(MODEL_REGISTRY, "modelAt(uint256)", [1], ["bytes32"])  # noqa: E731
    assert error_of(view) == "NoModelAt(index=1, count=1)"


def test_contract_and_package_agree_on_what_is_signed(chain: RegistryChain) -> None:
    digest = chain.view(
        MODEL_REGISTRY,
        "attestationDigest(bytes32,uint64,bytes32)",
        [MODEL, 5, RECORD.hash],
        ["bytes32"],
    )
    assert digest == attestation_digest(CHAIN_ID, MODEL, 5, RECORD.hash)
