"""Accounts of proof of work while a block runs: written, taken back, and told as changes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.ethereum.historic_accounts import HistoricAccounts
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account
from tests.conformance.memory_states import ListedState

RICH, CONTRACT, NOBODY, EMPTY = (bytes((place,)) * 20 for place in range(1, 5))
CODE = b"\1\2"
LISTED: dict[str, Any] = {
    RICH.hex(): {"balance": "0x64", "nonce": "0x3", "code": "0x", "storage": {}},
    CONTRACT.hex(): {
        "balance": "0x0",
        "nonce": "0x1",
        "code": CODE.hex(),
        "storage": {"0x1": "0x7", "0x2": "0x8"},
    },
    EMPTY.hex(): {"balance": "0x0", "nonce": "0x0", "code": "0x", "storage": {}},
}
ADDRESSES = (RICH, CONTRACT, NOBODY, EMPTY)
SLOTS = (1, 2, 3)


@pytest.fixture
def accounts() -> HistoricAccounts:
    return HistoricAccounts(ListedState(LISTED))


def seen(accounts: HistoricAccounts) -> list[object]:
    """Return all that can be read of the accounts."""
    return [
        (
            accounts.account(address),
            accounts.get_code(address),
            accounts.is_address_warm(address),
            [accounts.get_storage(address, slot) for slot in SLOTS],
            [accounts.is_storage_warm(address, slot) for slot in SLOTS],
        )
        for address in ADDRESSES
    ]


def test_an_account_may_be_empty_and_there(accounts: HistoricAccounts) -> None:
    assert accounts.account_exists(EMPTY)
    assert accounts.account_is_empty(EMPTY)
    assert not accounts.account_exists(NOBODY)
    accounts.touch_account(NOBODY)
    assert accounts.account_exists(NOBODY)


def test_what_is_written_is_read_and_told(accounts: HistoricAccounts) -> None:
    accounts.set_balance(RICH, 5)
    accounts.increment_nonce(RICH)
    accounts.set_code(NOBODY, b"\3")
    accounts.set_storage(CONTRACT, 1, 9)
    changes = accounts.changes()
    assert accounts.get_code(NOBODY) == b"\3"
    assert changes.accounts[RICH] == Account(4, 5)
    assert changes.storage == {CONTRACT: {1: 9}}
    assert changes.accounts.keys() == {RICH, CONTRACT, NOBODY}
    assert changes.codes == {keccak256(b"\3"): b"\3"}


def test_an_account_that_is_gone_takes_its_storage_along(accounts: HistoricAccounts) -> None:
    accounts.set_storage(CONTRACT, 3, 9)
    accounts.delete_account(CONTRACT)
    changes = accounts.changes()
    assert (accounts.get_storage(CONTRACT, 1), accounts.get_code(CONTRACT)) == (0, b"")
    assert changes.accounts == {CONTRACT: None}
    assert (changes.storage, changes.cleared) == ({}, frozenset({CONTRACT}))


def test_an_account_that_came_and_went_is_no_change(accounts: HistoricAccounts) -> None:
    accounts.set_storage(NOBODY, 1, 1)
    accounts.set_code(NOBODY, CODE)
    accounts.delete_account(NOBODY)
    assert accounts.changes().accounts == {}


def test_the_original_of_a_slot_is_what_it_was_before_the_transaction(
    accounts: HistoricAccounts,
) -> None:
    accounts.set_storage(CONTRACT, 1, 9)
    accounts.set_storage(CONTRACT, 1, 10)
    assert accounts.get_storage(CONTRACT, 1, from_journal=False) == 7
    accounts.lock_changes()
    assert accounts.get_storage(CONTRACT, 1, from_journal=False) == 10


def test_nothing_is_warm_when_a_transaction_begins(accounts: HistoricAccounts) -> None:
    accounts.mark_address_warm(RICH)
    accounts.mark_storage_warm(RICH, 1)
    accounts.lock_changes()
    assert not accounts.is_address_warm(RICH)
    assert not accounts.is_storage_warm(RICH, 1)


def test_code_is_read_from_the_state(accounts: HistoricAccounts) -> None:
    assert accounts.get_code(CONTRACT) == CODE
    assert accounts.get_code_hash(RICH) == EMPTY_CODE_HASH
    assert accounts.account_has_code_or_nonce(CONTRACT)


STEPS = st.tuples(st.integers(0, 8), st.sampled_from(ADDRESSES), st.sampled_from(SLOTS))


def act(accounts: HistoricAccounts, step: tuple[int, bytes, int]) -> None:
    kind, address, number = step
    (
        lambda: accounts.set_balance(address, number),
        lambda: accounts.set_nonce(address, number),
        lambda: accounts.set_code(address, bytes((number,))),
        lambda: accounts.set_storage(address, number, number - 1),
        lambda: accounts.delete_storage(address),
        lambda: accounts.delete_account(address),
        lambda: accounts.touch_account(address),
        lambda: accounts.mark_address_warm(address),
        lambda: accounts.mark_storage_warm(address, number),
    )[kind]()


@settings(max_examples=200, derandomize=True)
@given(before=st.lists(STEPS, max_size=8), after=st.lists(STEPS, max_size=12))
def test_a_checkpoint_takes_back_all_that_came_after_it(
    before: list[tuple[int, bytes, int]], after: list[tuple[int, bytes, int]]
) -> None:
    accounts = HistoricAccounts(ListedState(LISTED))
    for step in before:
        act(accounts, step)
    was, checkpoint = seen(accounts), accounts.record()
    for place, step in enumerate(after):
        act(accounts, step)
        if place % 3 == 0:
            accounts.commit(accounts.record())
    accounts.discard(checkpoint)
    assert seen(accounts) == was
