"""Transactions of proof of work: what a fork takes, and what one costs before it runs."""

from typing import Any

import pytest

from consensus.ethereum.historic_forks import (
    BERLIN,
    FRONTIER,
    HOMESTEAD,
    ISTANBUL,
    LONDON,
    PETERSBURG,
    SPURIOUS_DRAGON,
    TANGERINE_WHISTLE,
    HistoricFork,
)
from consensus.ethereum.historic_transaction_rules import (
    historic_intrinsic_gas,
    validate_historic_account,
    validate_historic_transaction,
)
from cvm.evm.faults import (
    BlockGasExceeded,
    FeeCapTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidSignature,
    InvalidTransaction,
    NonceTooHigh,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionTypeNotSupported,
    WrongChainId,
)
from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from tests.unit.consensus.ethereum.historic_world import transfer

TO = b"\xcc" * 20
ACCESSES = ((TO, (1, 2)), (b"\1" * 20, ()))


def made(changed: dict[str, Any]) -> Transaction:
    fields: dict[str, Any] = {"to": TO, "value": 0}
    return transfer(**(fields | changed))


def check(fork: HistoricFork, base_fee: int | None = None, **changed: Any) -> None:
    tx = made(changed)
    validate_historic_transaction(tx, fork, 1, base_fee, 100_000)


@pytest.mark.parametrize(
    ("fork", "changed", "fault", "words"),
    [
        pytest.param(
            ISTANBUL, {"type_id": 1, "chain_id": 1}, TransactionTypeNotSupported, ": 1", id="2930"
        ),
        pytest.param(
            BERLIN, {"type_id": 2, "chain_id": 1}, TransactionTypeNotSupported, ": 2", id="1559"
        ),
        pytest.param(
            TANGERINE_WHISTLE, {"chain_id": 1}, InvalidSignature,
            "v is 3[78], must be 27 or 28 in Tangerine Whistle", id="155",
        ),
        pytest.param(
            SPURIOUS_DRAGON, {"chain_id": 2}, WrongChainId, "have 2 want 1", id="another-chain"
        ),
        pytest.param(
            LONDON, {"max_fee_per_gas": 6}, FeeCapTooLow, "maxFeePerGas: 6, baseFee: 7", id="fee"
        ),
        pytest.param(
            LONDON, {"type_id": 2, "chain_id": 1, "max_priority_fee_per_gas": 9,
                     "max_fee_per_gas": 8},
            TipAboveFeeCap, "Gas: 9, maxFeePerGas: 8", id="tip",
        ),
        pytest.param(
            HOMESTEAD, {"gas": 100_001}, BlockGasExceeded, "asks for 100001, the block has 100000",
            id="block-gas",
        ),
        pytest.param(
            HOMESTEAD, {"gas": 20_999}, IntrinsicGasTooLow, "have 20999, want 21000", id="gas"
        ),
    ],
)  # fmt: skip
def test_a_transaction_that_a_fork_does_not_take_is_refused(
    fork: HistoricFork, changed: dict[str, Any], fault: type[InvalidTransaction], words: str
) -> None:
    with pytest.raises(fault, match=words):
        check(fork, 7 if fork.is_london else None, **changed)


@pytest.mark.parametrize(
    ("fork", "changed"),
    [
        pytest.param(FRONTIER, {}, id="frontier"),
        pytest.param(SPURIOUS_DRAGON, {"chain_id": 1}, id="155"),
        pytest.param(BERLIN, {"type_id": 1, "chain_id": 1}, id="2930"),
        pytest.param(LONDON, {"type_id": 2, "chain_id": 1}, id="1559"),
    ],
)
def test_a_transaction_of_its_fork_is_taken(fork: HistoricFork, changed: dict[str, Any]) -> None:
    check(fork, 1 if fork.is_london else None, **changed)


@pytest.mark.parametrize(
    ("fork", "changed", "gas"),
    [
        pytest.param(FRONTIER, {"to": b""}, 21_000, id="a-creation-of-frontier"),
        pytest.param(HOMESTEAD, {"to": b""}, 53_000, id="a-creation-of-eip-2"),
        pytest.param(PETERSBURG, {"data": b"\0\1\2"}, 21_140, id="calldata"),
        pytest.param(ISTANBUL, {"data": b"\0\1\2"}, 21_036, id="calldata-of-eip-2028"),
        pytest.param(
            BERLIN,
            {"type_id": 1, "chain_id": 1, "access_list": ACCESSES},
            29_600,
            id="accesses",
        ),
    ],
)
def test_what_a_transaction_costs_before_it_runs(
    fork: HistoricFork, changed: dict[str, Any], gas: int
) -> None:
    tx = made(changed)
    assert historic_intrinsic_gas(tx, fork) == gas


@pytest.mark.parametrize(
    ("account", "code", "fault"),
    [
        pytest.param(Account(balance=21_000), b"", InsufficientFunds, id="balance"),
        pytest.param(Account(balance=21_005), b"\0", SenderNotEoa, id="code"),
    ],
)
def test_a_sender_that_cannot_send_is_refused(
    account: Account, code: bytes, fault: type[InvalidTransaction]
) -> None:
    tx = transfer(TO, 5)
    validate_historic_account(tx, Account(balance=21_005), b"")
    with pytest.raises(fault):
        validate_historic_account(tx, account, code)
    with pytest.raises(NonceTooHigh):
        validate_historic_account(transfer(TO, 5, nonce=1), account, code)
