"""Every rule that a transaction keeps to stand in a block, at each fork, one test or row each."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from cvm.evm.blob_gas import blob_base_fee
from cvm.evm.faults import (
    BadAuthorizationList,
    BadBlobHashVersion,
    BlobFeeCapTooLow,
    BlobGasExceeded,
    BlobTransactionCreates,
    BlockGasExceeded,
    FeeCapTooLow,
    FloorDataGasTooLow,
    InitcodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    MissingBlobHashes,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TooManyBlobs,
    TransactionGasTooHigh,
    TransactionTypeNotSupported,
    WrongChainId,
)
from cvm.evm.forks import BPO1, BPO2, CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import Account
from cvm.evm.transaction_rules import BlockRoom, ChainRules, validate_transaction
from cvm.evm.transaction_signing import UnsignedTransaction, sign_authorization
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import OTHER_KEY, RECIPIENT, SENDER, SENDER_KEY

KEY = SENDER_KEY.to_bytes()
BLOB_HASH = b"\x01" + b"\xbb" * 31
GAS_PER_BLOB = 131_072
ROOM = BlockRoom(base_fee=7, gas_left=1 << 25, blob_base_fee=5, blob_gas_left=9 * GAS_PER_BLOB)
PLAIN = UnsignedTransaction(
    chain_id=CHAIN_ID,
    nonce=0,
    max_fee_per_gas=100,
    max_priority_fee_per_gas=3,
    gas=100_000,
    to=RECIPIENT,
)
BLOBS = replace(PLAIN, type_id=3, blob_versioned_hashes=(BLOB_HASH,), max_fee_per_blob_gas=10)
AUTHORIZATION = sign_authorization(OTHER_KEY.to_bytes(), CHAIN_ID, RECIPIENT, 0)
DELEGATING = replace(PLAIN, type_id=4, authorization_list=(AUTHORIZATION,))
FORKS = [PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA, BPO1, BPO2]
each_fork = pytest.mark.parametrize("fork", FORKS, ids=lambda fork: fork.name)


@dataclass(frozen=True, slots=True)
class OneSender:
    """A state in which the sender alone has an account."""

    nonce: int = 0
    balance: int = 10**18
    sender_code: bytes = b""

    def account(self, address: bytes) -> Account | None:
        if address != SENDER:
            return None
        code_hash = keccak256(self.sender_code)
        return Account(nonce=self.nonce, balance=self.balance, code_hash=code_hash)

    def storage(self, address: bytes, slot: int) -> int:
        return 0

    def code(self, code_hash: bytes) -> bytes:
        assert code_hash == keccak256(self.sender_code)
        return self.sender_code


RICH = OneSender()


def validate(
    unsigned: UnsignedTransaction,
    state: OneSender = RICH,
    fork: Fork = OSAKA,
    *,
    room: BlockRoom = ROOM,
    carries_blobs: bool = True,
) -> None:
    rules = ChainRules(CHAIN_ID, fork, carries_blobs=carries_blobs)
    validate_transaction(unsigned.sign(KEY), state, rules, room)


def changed(unsigned: UnsignedTransaction = PLAIN, **fields: Any) -> UnsignedTransaction:
    return replace(unsigned, **fields)


@each_fork
@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_a_plain_transaction_is_valid(type_id: int, fork: Fork) -> None:
    validate(changed(type_id=type_id), fork=fork)


@pytest.mark.parametrize(
    ("unsigned", "first"),
    [pytest.param(BLOBS, CANCUN, id="blobs"), pytest.param(DELEGATING, PRAGUE, id="delegations")],
)
def test_validate_type_knows_a_type_from_its_fork_on(
    unsigned: UnsignedTransaction, first: Fork
) -> None:
    place = FORKS.index(first)
    for fork in FORKS[place:]:
        validate(unsigned, fork=fork)
    for fork in FORKS[:place]:
        with pytest.raises(TransactionTypeNotSupported, match=f": {unsigned.type_id}$"):
            validate(unsigned, fork=fork)


def test_validate_type_refuses_blobs_where_the_chain_carries_none() -> None:
    with pytest.raises(TransactionTypeNotSupported, match="transaction type not supported: 3"):
        validate(BLOBS, carries_blobs=False)


def test_a_chain_carries_no_blobs_unless_it_says_so() -> None:
    assert not ChainRules(CHAIN_ID, OSAKA).carries_blobs


@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_validate_chain_id(type_id: int) -> None:
    with pytest.raises(WrongChainId, match="invalid chain id for signer: have 8 want 7"):
        validate(changed(type_id=type_id, chain_id=8))


def test_validate_chain_id_takes_a_legacy_transaction_without_one() -> None:
    validate(changed(type_id=0, chain_id=None))


def test_validate_tip() -> None:
    validate(changed(max_priority_fee_per_gas=100))
    with pytest.raises(TipAboveFeeCap, match="maxPriorityFeePerGas: 101, maxFeePerGas: 100"):
        validate(changed(max_priority_fee_per_gas=101))


@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_validate_fee_cap(type_id: int) -> None:
    validate(changed(type_id=type_id, max_fee_per_gas=7))
    with pytest.raises(FeeCapTooLow, match="maxFeePerGas: 6, baseFee: 7"):
        validate(changed(type_id=type_id, max_fee_per_gas=6))


def test_validate_block_gas() -> None:
    validate(changed(gas=30_000), room=ROOM._replace(gas_left=30_000))
    with pytest.raises(BlockGasExceeded, match="asks for 30000, the block has 29999 left"):
        validate(changed(gas=30_000), room=ROOM._replace(gas_left=29_999))


# EIP-4844


def test_validate_blob_destination() -> None:
    with pytest.raises(BlobTransactionCreates, match="blob transaction of type create"):
        validate(changed(BLOBS, to=b""))


def test_validate_blob_count_wants_one() -> None:
    with pytest.raises(MissingBlobHashes, match="blob transaction missing blob hashes"):
        validate(changed(BLOBS, blob_versioned_hashes=()))


@pytest.mark.parametrize(
    ("fork", "most"),
    [
        pytest.param(CANCUN, 6, id="EIP-4844 Cancun"),
        pytest.param(PRAGUE, 9, id="EIP-7691 Prague"),
        pytest.param(OSAKA, 6, id="EIP-7594 Osaka"),
        pytest.param(BPO2, 6, id="EIP-7594 with 21 in a block"),
    ],
)
def test_validate_blob_count_has_a_most_for_each_fork(fork: Fork, most: int) -> None:
    validate(changed(BLOBS, blob_versioned_hashes=(BLOB_HASH,) * most), fork=fork)
    words = f"too many blobs: have {most + 1}, permitted {most}"
    with pytest.raises(TooManyBlobs, match=words):
        validate(changed(BLOBS, blob_versioned_hashes=(BLOB_HASH,) * (most + 1)), fork=fork)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_validate_blob_hash_versions(version: int) -> None:
    hashes = (BLOB_HASH, bytes([version]) + BLOB_HASH[1:])
    words = f"blob 1 has invalid hash version: have {version}, supported: 1"
    with pytest.raises(BadBlobHashVersion, match=words):
        validate(changed(BLOBS, blob_versioned_hashes=hashes))


def test_validate_blob_fee_cap() -> None:
    validate(changed(BLOBS, max_fee_per_blob_gas=5))
    with pytest.raises(BlobFeeCapTooLow, match="maxFeePerBlobGas: 4, blobBaseFee: 5"):
        validate(changed(BLOBS, max_fee_per_blob_gas=4))


def test_validate_block_blob_gas() -> None:
    two = changed(BLOBS, blob_versioned_hashes=(BLOB_HASH, BLOB_HASH))
    validate(two, room=ROOM._replace(blob_gas_left=262_144))
    with pytest.raises(BlobGasExceeded, match="tx uses 262144, the block has 262143 left"):
        validate(two, room=ROOM._replace(blob_gas_left=262_143))


@pytest.mark.parametrize(
    ("excess", "fork", "fee"),
    [
        pytest.param(0, CANCUN, 1, id="least"),
        pytest.param(2_314_057, CANCUN, 1, id="last excess at 1 wei in Cancun"),
        pytest.param(2_314_058, CANCUN, 2, id="first excess at 2 wei in Cancun"),
        pytest.param(10 * 1024 * 1024, CANCUN, 23, id="10 MiB in Cancun"),
        pytest.param(10**9, PARIS, 1, id="no blobs before Cancun"),
    ],
)
def test_blob_base_fee_is_eip_4844s_exponential(excess: int, fork: Fork, fee: int) -> None:
    assert blob_base_fee(excess, fork) == fee


# EIP-7702


def test_validate_authorizations_wants_one() -> None:
    with pytest.raises(BadAuthorizationList, match="empty auth list"):
        validate(changed(DELEGATING, authorization_list=()))


def test_validate_authorizations_wants_a_destination() -> None:
    with pytest.raises(BadAuthorizationList, match="no destination"):
        validate(changed(DELEGATING, to=b""))


# Gas and size


@pytest.mark.parametrize(
    ("fields", "fork", "least"),
    [
        pytest.param({}, PARIS, 21_000, id="transfer"),
        pytest.param({"data": b"\0\0\1"}, CANCUN, 21_024, id="EIP-2028 calldata"),
        pytest.param({"data": b"\0"}, PRAGUE, 21_010, id="EIP-7623 one zero byte"),
        pytest.param({"data": b"\1"}, OSAKA, 21_040, id="EIP-7623 one nonzero byte"),
        pytest.param({"access_list": ((RECIPIENT, ()),)}, PARIS, 23_400, id="EIP-2930 address"),
        pytest.param(
            {"access_list": ((RECIPIENT, (1, 1)), (SENDER, (2,)))},
            PARIS,
            31_500,
            id="EIP-2930 two addresses and three keys, one twice",
        ),
        pytest.param({"to": b""}, PARIS, 53_000, id="EIP-2 creation"),
        pytest.param({"to": b"", "data": b"\0" * 33}, PARIS, 53_132, id="initcode in Paris"),
        pytest.param({"to": b"", "data": b"\0" * 33}, SHANGHAI, 53_136, id="EIP-3860 two words"),
        pytest.param(
            {"type_id": 4, "authorization_list": (AUTHORIZATION,) * 2},
            PRAGUE,
            71_000,
            id="EIP-7702 two authorizations",
        ),
    ],
)
def test_validate_intrinsic_gas(fields: dict[str, Any], fork: Fork, least: int) -> None:
    validate(changed(**fields, gas=least), fork=fork)
    with pytest.raises((IntrinsicGasTooLow, FloorDataGasTooLow), match=f"want {least}$"):
        validate(changed(**fields, gas=least - 1), fork=fork)


def test_validate_intrinsic_gas_speaks_before_the_floor() -> None:
    with pytest.raises(IntrinsicGasTooLow, match="have 20999, want 21056"):
        validate(changed(gas=20_999, data=b"\0\0\1\1\1"))


def test_validate_floor_gas_is_ten_a_token() -> None:
    data = b"\0" * 100 + b"\1" * 100
    with pytest.raises(FloorDataGasTooLow, match="have 25999, want 26000"):
        validate(changed(gas=25_999, data=data), fork=PRAGUE)
    validate(changed(gas=25_999, data=data), fork=CANCUN)


def test_validate_initcode_size() -> None:
    initcode = changed(to=b"", data=b"\0" * 49_152, gas=5_000_000)
    validate(initcode)
    longer = changed(initcode, data=b"\0" * 49_153)
    validate(longer, fork=PARIS)
    with pytest.raises(InitcodeTooLarge, match="code size 49153 limit 49152"):
        validate(longer, fork=SHANGHAI)


def test_validate_initcode_size_spares_calldata() -> None:
    validate(changed(data=b"\0" * 49_153, gas=5_000_000))


def test_validate_gas_cap() -> None:
    validate(changed(gas=1 << 24))
    validate(changed(gas=(1 << 24) + 1), fork=PRAGUE)
    with pytest.raises(TransactionGasTooHigh, match=r"\(cap: 16777216, tx: 16777217\)"):
        validate(changed(gas=(1 << 24) + 1))


# The account


def test_validate_nonce_too_low() -> None:
    with pytest.raises(NonceTooLow, match=rf"address 0x{SENDER.hex()}, tx: 4 state: 5"):
        validate(changed(nonce=4), OneSender(nonce=5))


def test_validate_nonce_too_high() -> None:
    with pytest.raises(NonceTooHigh, match=r"tx: 6 state: 5"):
        validate(changed(nonce=6), OneSender(nonce=5))


def test_validate_nonce_may_not_reach_its_maximum() -> None:
    validate(changed(nonce=2**64 - 2), OneSender(nonce=2**64 - 2))
    with pytest.raises(NonceAtMaximum, match=str(2**64 - 1)):
        validate(changed(nonce=2**64 - 1), OneSender(nonce=2**64 - 1))


def test_validate_sender_is_eoa() -> None:
    with pytest.raises(SenderNotEoa, match=r"len\(code\): 2"):
        validate(PLAIN, OneSender(sender_code=b"\x60\x00"))


def test_validate_sender_is_eoa_excepts_a_delegation() -> None:
    validate(PLAIN, OneSender(sender_code=bytes.fromhex("ef0100") + RECIPIENT))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(bytes.fromhex("ef0100") + RECIPIENT + b"\0", id="one byte too long"),
        pytest.param(bytes.fromhex("ef0100") + RECIPIENT[1:], id="one byte too short"),
        pytest.param(bytes.fromhex("ef0101") + RECIPIENT, id="another prefix"),
    ],
)
def test_validate_sender_is_eoa_excepts_only_an_exact_delegation(code: bytes) -> None:
    with pytest.raises(SenderNotEoa):
        validate(PLAIN, OneSender(sender_code=code))


@pytest.mark.parametrize(
    ("unsigned", "needed"),
    [
        pytest.param(changed(gas=21_000, value=1_234), 2_101_234, id="gas at the fee cap, value"),
        pytest.param(
            changed(BLOBS, gas=21_000, value=1_234, blob_versioned_hashes=(BLOB_HASH,) * 2),
            2_101_234 + 2 * 131_072 * 10,
            id="blob gas at the blob fee cap",
        ),
        pytest.param(
            changed(value=2**256 - 1), 2**256 - 1 + 10_000_000, id="more than fits a word"
        ),
    ],
)
def test_validate_balance(unsigned: UnsignedTransaction, needed: int) -> None:
    validate(unsigned, OneSender(balance=needed))
    with pytest.raises(InsufficientFunds, match=f"have {needed - 1} want {needed}"):
        validate(unsigned, OneSender(balance=needed - 1))


def test_validate_balance_of_no_account_is_zero() -> None:
    with pytest.raises(InsufficientFunds, match="have 0 want"):
        validate_transaction(
            PLAIN.sign(OTHER_KEY.to_bytes()), RICH, ChainRules(CHAIN_ID, OSAKA), ROOM
        )
