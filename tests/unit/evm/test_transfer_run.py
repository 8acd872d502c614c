"""Runs of transfers in one compiled call change exactly what single transactions change."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.execution import BlockContext, BlockExecution, ExecutionRules
from cvm.evm.faults import InvalidTransaction
from cvm.evm.forks import OSAKA, PARIS, Fork
from cvm.evm.message_rules import Additions
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from cvm.evm.transfer_run import FEWEST
from tests.evm_world import CHAIN_ID, context, no_hash
from tests.memory_state import MemoryState
from tests.unit.evm.signing import OTHER, OTHER_KEY, RECIPIENT, SENDER, SENDER_KEY

COINBASE = b"\xcb" * 20
CONTRACT = b"\xcc" * 20
DELEGATED = b"\xdd" * 20
PRECOMPILE = (2).to_bytes(20, "big")
BASE_FEE = 7
RICH = 10**18
KEYS = {SENDER: SENDER_KEY.to_bytes(), OTHER: OTHER_KEY.to_bytes()}
BLOCK = context(base_fee=BASE_FEE)


def transfer(sender: bytes = SENDER, nonce: int = 0, **changes: Any) -> Transaction:
    """Return a signed transfer of 1 wei."""
    plain = UnsignedTransaction(
        type_id=2,
        chain_id=CHAIN_ID,
        nonce=nonce,
        max_priority_fee_per_gas=3,
        max_fee_per_gas=100,
        gas=21_000,
        to=RECIPIENT,
        value=1,
        data=b"",
    )
    return replace(plain, **changes).sign(KEYS[sender])


def state_of(balance: int = RICH) -> MemoryState:
    """Return a state of two senders, a contract, and an account that delegates to it."""
    state = MemoryState()
    for address in KEYS:
        state.put(address, balance=balance)
    state.put(CONTRACT, nonce=1, code=b"\x60\x01\x5f\x55")
    state.put(DELEGATED, nonce=1, code=b"\xef\x01\x00" + CONTRACT)
    return state


def outcome_of(
    state: MemoryState,
    transactions: Sequence[Transaction],
    runs: bool,
    block: BlockContext = BLOCK,
    fork: Fork = OSAKA,
) -> tuple[object, int]:
    """Return what a block leaves or how it fails, and how many transactions ran in runs."""
    execution = BlockExecution(ExecutionRules(fork, Additions()), state, block, no_hash)
    in_runs = index = 0
    while index < len(transactions):
        if runs:
            done = execution.apply_transfers(transactions, index)
            in_runs, index = in_runs + done, index + done
            if index == len(transactions):
                break
        try:
            execution.apply(transactions[index])
        except InvalidTransaction as error:
            return (index, type(error), str(error), execution.gas_used), in_runs
        index += 1
    return execution.finish(), in_runs


def both(
    transactions: Sequence[Transaction],
    state: Callable[[], MemoryState] = state_of,
    block: BlockContext = BLOCK,
    fork: Fork = OSAKA,
) -> int:
    """Compare runs with single transactions; return how many ran in runs."""
    single, _none = outcome_of(state(), transactions, runs=False, block=block, fork=fork)
    outcome, in_runs = outcome_of(state(), transactions, runs=True, block=block, fork=fork)
    assert outcome == single
    return in_runs


def test_transfers_in_a_run_change_what_single_ones_change() -> None:
    assert both([transfer(nonce=nonce) for nonce in range(20)]) == 20


@pytest.mark.parametrize("fork", [PARIS, OSAKA], ids=["Paris", "Osaka"])
@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_every_type_of_transfer_runs_at_every_fork(type_id: int, fork: Fork) -> None:
    fees: dict[str, Any] = {} if type_id == 2 else {"max_priority_fee_per_gas": 100}
    transfers = [transfer(nonce=nonce, type_id=type_id, **fees) for nonce in range(10)]
    assert both(transfers, fork=fork) == 10


STOPS: dict[str, dict[str, Any]] = {
    "calldata": {"data": b"\x01", "gas": 30_000},
    "creation": {"to": b"", "gas": 60_000},
    "access list": {"access_list": ((CONTRACT, (1,)),), "gas": 30_000},
    "code at the target": {"to": CONTRACT, "gas": 60_000},
    "delegation at the target": {"to": DELEGATED, "gas": 60_000},
    "precompile": {"to": PRECOMPILE, "gas": 60_000},
    "nonce too high": {"nonce": 99},
    "gas below 21,000": {"gas": 20_999},
    "fee cap below the base fee": {"max_fee_per_gas": 6, "max_priority_fee_per_gas": 0},
    "tip above the fee cap": {"max_priority_fee_per_gas": 101},
    "another chain": {"chain_id": CHAIN_ID + 1},
    "gas above the cap of Osaka": {"gas": (1 << 24) + 1},
    "value beyond the balance": {"value": RICH},
    "fees beyond the balance": {"max_fee_per_gas": 2**128 - 1},
    "fees of too many bits": {"max_fee_per_gas": 2**255},
    "value of 256 bits": {"value": 2**256 - 1},
    "no value to nobody": {"value": 0, "to": b"\x99" * 20},
}


@pytest.mark.parametrize("change", STOPS.values(), ids=STOPS.keys())
def test_what_is_no_plain_transfer_is_left_to_the_rules(change: dict[str, Any]) -> None:
    before = [transfer(nonce=nonce) for nonce in range(FEWEST)]
    odd = transfer(**({"nonce": FEWEST} | change))
    after = [transfer(nonce=nonce) for nonce in range(FEWEST + 1, 3 * FEWEST)]
    assert both([*before, odd, *after]) >= FEWEST


def test_a_signature_without_a_sender_is_left_to_the_rules() -> None:
    raw = bytearray(transfer(nonce=FEWEST).raw)
    raw[-65:-33] = b"\x02" * 32  # r without a point, for both parities
    unsigned = next(tx for tx in (decode_transaction(bytes(raw)),))
    before = [transfer(nonce=nonce) for nonce in range(FEWEST)]
    after = [transfer(OTHER, nonce=nonce) for nonce in range(FEWEST)]
    assert both([*before, unsigned, *after]) == FEWEST


def test_a_block_without_room_refuses_the_transfer_that_does_not_fit() -> None:
    block = replace(BLOCK, gas_limit=15 * 21_000)
    assert both([transfer(nonce=nonce) for nonce in range(20)], block=block) == 15


def test_a_tip_of_nothing_does_not_make_the_coinbase() -> None:
    free: dict[str, Any] = {"max_fee_per_gas": BASE_FEE, "max_priority_fee_per_gas": 0}
    assert both([transfer(nonce=nonce, **free) for nonce in range(20)]) == 0


def test_the_coinbase_may_have_code_and_may_send() -> None:
    transfers = [transfer(nonce=nonce, to=OTHER) for nonce in range(10)]
    assert both(transfers, block=replace(BLOCK, coinbase=CONTRACT)) == 10
    assert both(transfers, block=replace(BLOCK, coinbase=SENDER)) == 10
    assert both(transfers, block=replace(BLOCK, coinbase=OTHER)) == 10


def test_a_balance_that_would_not_fit_a_word_is_left_to_the_rules() -> None:
    def wealthy() -> MemoryState:
        state = state_of()
        state.put(RECIPIENT, balance=2**256 - 5)
        return state

    assert both([transfer(nonce=nonce) for nonce in range(10)], wealthy) == 4


def test_another_interpreter_gets_every_transaction() -> None:
    rules = ExecutionRules(OSAKA, Additions(), interpreter=PlainInterpreter)
    execution = BlockExecution(rules, state_of(), BLOCK, no_hash)
    assert execution.apply_transfers([transfer(nonce=nonce) for nonce in range(20)], 0) == 0


def test_a_block_that_stops_every_run_is_read_twice_at_the_most() -> None:
    free: dict[str, Any] = {"max_fee_per_gas": BASE_FEE, "max_priority_fee_per_gas": 0}
    reads = count()

    class Counted(Transaction):
        @property
        def sender(self) -> bytes:
            next(reads)
            return Transaction.sender.fget(self)  # type: ignore[attr-defined,no-any-return]

    transactions = []
    for nonce in range(100):
        made = transfer(nonce=nonce, **free)
        tx = Counted(
            *(getattr(made, name) for name in Transaction.__annotations__ if name != "_sender")
        )
        transactions.append(tx)
    execution = BlockExecution(ExecutionRules(OSAKA, Additions()), state_of(), BLOCK, no_hash)
    for index in range(100):
        execution.apply_transfers(transactions, index)
    assert next(reads) <= 2 * 100


ADDRESSES = [SENDER, OTHER, RECIPIENT, CONTRACT, COINBASE, DELEGATED, PRECOMPILE, b"\x77" * 20]
TRANSFERS = st.tuples(
    st.sampled_from([SENDER, OTHER]),
    st.sampled_from(ADDRESSES),
    st.sampled_from([0, 1, 10**9, RICH // 3, RICH]),
    st.sampled_from([0, 3, 93]),
    st.sampled_from([21_000, 50_000, 20_000]),
    st.booleans(),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(TRANSFERS, min_size=FEWEST, max_size=40),
    st.sampled_from([COINBASE, SENDER, OTHER, CONTRACT]),
    st.sampled_from([10**7, 10**18, 2**255]),
)
def test_random_transfers_change_what_single_ones_change(
    drawn: list[tuple[bytes, bytes, int, int, int, bool]], coinbase: bytes, balance: int
) -> None:
    nonces = dict.fromkeys(KEYS, 0)
    transactions = []
    for sender, to, value, tip, gas, has_data in drawn:
        changes: dict[str, Any] = {"data": b"\0"} if has_data and gas == 50_000 else {}
        transactions.append(
            transfer(
                sender,
                nonces[sender],
                to=to,
                value=value,
                max_priority_fee_per_gas=tip,
                gas=gas,
                **changes,
            )
        )
        nonces[sender] += 1
    both(transactions, lambda: state_of(balance), replace(BLOCK, coinbase=coinbase))
