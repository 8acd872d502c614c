"""A state behind changes: what was written, what is gone, and what shows through."""

import pytest

from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from node.execution.changed_state import ChangedState

KEPT, WRITTEN, GONE, CLEARED, NEW = (bytes([number]) * 20 for number in range(1, 6))
ROOT, CODE_HASH = b"\x0a" * 32, b"\x0c" * 32
STORED = Account(1, 5, ROOT, CODE_HASH)


class Below:
    """Every account but NEW has slot 1 set to 7, and code."""

    def account(self, address: bytes) -> Account | None:
        return None if address == NEW else STORED

    def storage(self, address: bytes, slot: int) -> int:
        return 7 if address != NEW and slot == 1 else 0

    def code(self, code_hash: bytes) -> bytes:
        return b"below" + code_hash[:1]


CHANGED = ChangedState(
    Below(),
    StateChanges(
        accounts={
            WRITTEN: STORED,
            GONE: None,
            CLEARED: STORED,
            NEW: Account(1, 0, EMPTY_TRIE_ROOT, b"\x0d" * 32),
        },
        storage={WRITTEN: {1: 0, 2: 8}, NEW: {3: 9}},
        cleared=frozenset((CLEARED,)),
        codes={b"\x0d" * 32: b"new"},
    ),
)


@pytest.mark.parametrize(
    ("address", "slots"),
    [
        pytest.param(KEPT, [7, 0, 0], id="shows through"),
        pytest.param(WRITTEN, [0, 8, 0], id="written over"),
        pytest.param(GONE, [0, 0, 0], id="gone"),
        pytest.param(CLEARED, [0, 0, 0], id="cleared"),
        pytest.param(NEW, [0, 0, 9], id="new"),
    ],
)
def test_a_slot_is_the_newest_that_was_written(address: bytes, slots: list[int]) -> None:
    assert [CHANGED.storage(address, slot) for slot in (1, 2, 3)] == slots


@pytest.mark.parametrize(
    ("address", "is_there", "has_storage"),
    [
        pytest.param(KEPT, True, True, id="shows through"),
        pytest.param(GONE, False, False, id="gone"),
        pytest.param(CLEARED, True, False, id="cleared"),
        pytest.param(NEW, True, True, id="new"),
    ],
)
def test_an_account_says_whether_it_has_storage(
    address: bytes, is_there: bool, has_storage: bool
) -> None:
    account = CHANGED.account(address)
    assert (account is not None) == is_there
    root = EMPTY_TRIE_ROOT if account is None else account.storage_root
    assert (root != EMPTY_TRIE_ROOT) == has_storage


def test_code_is_that_of_the_changes_or_below() -> None:
    assert CHANGED.code(b"\x0d" * 32) == b"new"
    assert CHANGED.code(CODE_HASH) == b"below\x0c"
