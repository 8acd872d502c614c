"""Every rule that a transaction must keep to stand in a block, one test or table row each."""

from typing import Any

import pytest

from cvm.evm.faults import (
    BadAuthorizationList,
    BlockGasExceeded,
    FeeCapTooLow,
    FloorDataGasTooLow,
    InitcodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidTransaction,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionGasTooHigh,
    WrongChainId,
)
from cvm.evm.transactions import decode_transaction, validate_transaction
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import OTHER_KEY, RECIPIENT, SENDER, authorization, raw

BLOCK_GAS = 1 << 25
KEY = b"\x01" * 32


class Account:
    """The sender as the rules read it."""

    def __init__(self, nonce: int = 0, balance: int = 10**18, code: bytes = b"") -> None:
        self.nonce, self.balance, self.code = nonce, balance, code

    def get_nonce(self, address: Any) -> int:
        assert address == SENDER
        return self.nonce

    def get_balance(self, address: Any) -> int:
        assert address == SENDER
        return self.balance

    def get_code(self, address: Any) -> bytes:
        assert address == SENDER
        return self.code


def validate(
    raw_transaction: bytes,
    account: Account | None = None,
    *,
    base_fee: int = 7,
    block_gas_left: int = BLOCK_GAS,
) -> None:
    validate_transaction(
        decode_transaction(raw_transaction),
        account or Account(),
        chain_id=CHAIN_ID,
        base_fee=base_fee,
        block_gas_left=block_gas_left,
    )


def refusal(raw_transaction: bytes, account: Account | None = None, **limits: int) -> str:
    """Return the class name and the words of the refusal."""
    with pytest.raises(InvalidTransaction) as caught:
        validate(raw_transaction, account, **limits)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_a_plain_transaction_is_valid(type_id: int) -> None:
    validate(raw(type_id))


def test_a_delegating_transaction_is_valid() -> None:
    validate(raw(4, authorizations=[authorization(OTHER_KEY, RECIPIENT)]))


def test_a_legacy_transaction_without_a_chain_id_is_valid_in_a_block() -> None:
    validate(raw(0, chain_id=None))


@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_chain_id_must_be_ours(type_id: int) -> None:
    with pytest.raises(WrongChainId, match="invalid chain id for signer: have 8 want 7"):
        validate(raw(type_id, chain_id=8))


def test_nonce_too_low() -> None:
    with pytest.raises(NonceTooLow, match=rf"address 0x{SENDER.hex()}, tx: 4 state: 5"):
        validate(raw(nonce=4), Account(nonce=5))


def test_nonce_too_high() -> None:
    with pytest.raises(NonceTooHigh, match=r"tx: 6 state: 5"):
        validate(raw(nonce=6), Account(nonce=5))


def test_nonce_may_not_reach_its_maximum() -> None:
    with pytest.raises(NonceAtMaximum, match=str(2**64 - 1)):
        validate(raw(nonce=2**64 - 1), Account(nonce=2**64 - 1))


def test_the_last_nonce_below_the_maximum_is_valid() -> None:
    validate(raw(nonce=2**64 - 2), Account(nonce=2**64 - 2))


def test_eip_3607_a_contract_cannot_send() -> None:
    with pytest.raises(SenderNotEoa, match=r"len\(code\): 2"):
        validate(raw(), Account(code=b"\x60\x00"))


def test_eip_7702_a_delegated_account_can_send() -> None:
    validate(raw(), Account(code=bytes.fromhex("ef0100") + RECIPIENT))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(bytes.fromhex("ef0100") + RECIPIENT + b"\0", id="one byte too long"),
        pytest.param(bytes.fromhex("ef0100") + RECIPIENT[1:], id="one byte too short"),
        pytest.param(bytes.fromhex("ef0101") + RECIPIENT, id="another prefix"),
    ],
)
def test_eip_3607_only_an_exact_delegation_is_excepted(code: bytes) -> None:
    with pytest.raises(SenderNotEoa):
        validate(raw(), Account(code=code))


def test_eip_1559_tip_over_fee_cap() -> None:
    with pytest.raises(TipAboveFeeCap, match="maxPriorityFeePerGas: 101, maxFeePerGas: 100"):
        validate(raw(tip=101, fee_cap=100))


@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_eip_1559_fee_cap_under_base_fee(type_id: int) -> None:
    with pytest.raises(FeeCapTooLow, match="maxFeePerGas: 6, baseFee: 7"):
        validate(raw(type_id, fee_cap=6, tip=0))


def test_eip_1559_fee_cap_equal_to_base_fee_is_enough() -> None:
    validate(raw(fee_cap=7, tip=7))


def test_the_balance_must_cover_gas_at_the_fee_cap_and_value() -> None:
    needed = 21_000 * 100 + 1_234
    validate(raw(gas=21_000, value=1_234), Account(balance=needed))
    with pytest.raises(InsufficientFunds, match=f"have {needed - 1} want {needed}"):
        validate(raw(gas=21_000, value=1_234), Account(balance=needed - 1))


def test_a_value_near_the_word_limit_is_only_too_poor() -> None:
    with pytest.raises(InsufficientFunds):
        validate(raw(value=2**256 - 1), Account(balance=2**256 - 1))


@pytest.mark.parametrize(
    ("type_id", "fields", "least"),
    [
        pytest.param(2, {}, 21_000, id="transfer"),
        pytest.param(2, {"data": b"\0"}, 21_010, id="floor of one zero byte"),
        pytest.param(2, {"data": b"\1"}, 21_040, id="floor of one nonzero byte"),
        pytest.param(
            1, {"access_list": [(RECIPIENT, ())]}, 21_000 + 2_400, id="EIP-2930 one address"
        ),
        pytest.param(
            1,
            {"access_list": [(RECIPIENT, (KEY, KEY)), (SENDER, (KEY,))]},
            21_000 + 2 * 2_400 + 3 * 1_900,
            id="EIP-2930 two addresses and three keys, one twice",
        ),
        pytest.param(2, {"to": b""}, 53_000, id="EIP-2 empty creation"),
        pytest.param(
            2,
            {"to": b"", "data": b"\0" * 33},
            53_000 + 33 * 4 + 2 * 2,
            id="EIP-3860 two words of initcode",
        ),
        pytest.param(
            2, {"to": b"", "data": b"\1"}, 53_000 + 16 + 2, id="EIP-2028 nonzero byte of initcode"
        ),
        pytest.param(
            4,
            {"authorizations": [authorization(OTHER_KEY, RECIPIENT)] * 2},
            21_000 + 2 * 25_000,
            id="EIP-7702 two authorizations",
        ),
    ],
)
def test_intrinsic_gas(type_id: int, fields: dict[str, Any], least: int) -> None:
    validate(raw(type_id, gas=least, **fields))
    with pytest.raises((IntrinsicGasTooLow, FloorDataGasTooLow), match=f"want {least}$"):
        validate(raw(type_id, gas=least - 1, **fields))


def test_the_plain_cost_of_calldata_is_four_and_sixteen() -> None:
    words = refusal(raw(gas=20_999, data=b"\0\0\1\1\1"))
    assert words == f"IntrinsicGasTooLow: intrinsic gas too low: have 20999, want {21_000 + 56}"


def test_eip_7623_the_floor_is_ten_a_token() -> None:
    data = b"\0" * 100 + b"\1" * 100
    floor = 21_000 + 10 * (100 + 4 * 100)
    words = refusal(raw(gas=floor - 1, data=data))
    expected = f"insufficient gas for floor data gas cost: have {floor - 1}, want {floor}"
    assert words == f"FloorDataGasTooLow: {expected}"


def test_eip_3860_initcode_has_at_most_49152_bytes() -> None:
    validate(raw(to=b"", data=b"\0" * 49_152, gas=5_000_000))
    with pytest.raises(InitcodeTooLarge, match="code size 49153 limit 49152"):
        validate(raw(to=b"", data=b"\0" * 49_153, gas=5_000_000))


def test_calldata_of_a_call_may_be_longer_than_initcode() -> None:
    validate(raw(data=b"\0" * 49_153, gas=5_000_000))


def test_eip_7825_one_transaction_asks_for_at_most_2_to_the_24() -> None:
    validate(raw(gas=1 << 24))
    with pytest.raises(TransactionGasTooHigh, match=r"\(cap: 16777216, tx: 16777217\)"):
        validate(raw(gas=(1 << 24) + 1))


def test_the_gas_limit_must_fit_what_is_left_in_the_block() -> None:
    validate(raw(gas=30_000), block_gas_left=30_000)
    with pytest.raises(BlockGasExceeded, match="asks for 30000, the block has 29999 left"):
        validate(raw(gas=30_000), block_gas_left=29_999)


def test_eip_7702_needs_an_authorization() -> None:
    with pytest.raises(BadAuthorizationList, match="empty auth list"):
        validate(raw(4))


def test_eip_7702_cannot_create_a_contract() -> None:
    with pytest.raises(BadAuthorizationList, match="no destination"):
        validate(raw(4, to=b"", authorizations=[authorization(OTHER_KEY, RECIPIENT)]))
