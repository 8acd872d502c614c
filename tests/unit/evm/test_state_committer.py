"""The committer: roots as the definition gives them, on any parent, with bounded memory."""

from random import Random

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import KEPT_COMMITS, StateCommitter
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account, StateChanges
from cvm.evm.trie import proven_value
from cvm.evm.trie_state import TrieState
from cvm.faults import MissingCode, MissingTrieNode
from tests.unit.evm.state_changes import ADDRESSES, Model, no_node, random_changes


def expected_root(model: Model) -> bytes:
    """Build the state from nothing with HexaryTrie and rlp."""
    state = HexaryTrie({})
    for address, account in model.accounts.items():
        storage = HexaryTrie({})
        for (owner, slot), value in model.storage.items():
            if owner == address:
                storage[keccak256(slot.to_bytes(32, "big"))] = rlp.encode(value)
        fields = [account.nonce, account.balance, storage.root_hash, account.code_hash]
        state[keccak256(address)] = rlp.encode(fields)
    root: bytes = state.root_hash
    return root


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_every_block_leaves_the_root_of_its_content(seed: int, cold: bool) -> None:
    store: dict[bytes, bytes] = {}
    committer, model, root = StateCommitter(store.get), Model(), EMPTY_TRIE_ROOT
    random = Random(seed)
    for changes in random_changes(random, 8):
        if cold:
            committer = StateCommitter(store.get)
        else:  # a proposal that never becomes final
            committer.commit(root, random_changes(random, 1)[0])
        update = committer.commit(root, changes)
        store.update(update.nodes)
        model.apply(changes)
        assert (update.parent_root, update.root) == (root, expected_root(model))
        root = update.root
        state = TrieState(root, store.get)
        for address in changes.accounts:
            assert state.account(address) == update.accounts[address]


@settings(max_examples=15, derandomize=True, deadline=None)
@given(st.integers(0, 10**6))
def test_a_past_state_reads_and_proves_as_it_was(seed: int) -> None:
    store: dict[bytes, bytes] = {}
    committer, model, root = StateCommitter(store.get), Model(), EMPTY_TRIE_ROOT
    for changes in random_changes(Random(seed), 6):
        update = committer.commit(root, changes)
        store.update(update.nodes)
        model.apply(changes)
        root = update.root
    for changes in random_changes(Random(seed + 1), 3):  # later blocks change nothing of it
        store.update(committer.commit(root, changes).nodes)
    state = TrieState(root, store.get)
    for address in ADDRESSES:
        account, want = state.account(address), model.accounts.get(address)
        assert (account is None) == (want is None)
        proof = state.account_proof(address)
        assert (proven_value(root, keccak256(address), proof) is None) == (want is None)
        for slot in (0, 1, 2, 3, 2**255):
            assert state.storage(address, slot) == model.storage.get((address, slot), 0)
        if account is None or want is None:
            continue
        assert (account.nonce, account.balance) == (want.nonce, want.balance)
        proof = state.storage_proof(address, 2)
        value = proven_value(account.storage_root, keccak256((2).to_bytes(32, "big")), proof)
        wanted = model.storage.get((address, 2), 0)
        assert value == (rlp.encode(wanted) if wanted else None)


def transfers(random: Random, addresses: list[bytes], count: int) -> StateChanges:
    return StateChanges(
        {
            address: Account(1, random.randrange(1, 10**20))
            for address in random.sample(addresses, count)
        },
        {},
        frozenset(),
        {},
    )


def test_nodes_in_memory_are_bounded_by_what_the_last_commits_touched() -> None:
    random, store = Random(9), dict[bytes, bytes]()
    addresses = [random.randbytes(20) for _ in range(5_000)]
    committer = StateCommitter(store.get, max_warm_nodes=1_000)
    genesis = StateChanges(dict.fromkeys(addresses, Account(0, 1)), {}, frozenset(), {})
    update = committer.commit(EMPTY_TRIE_ROOT, genesis)
    store.update(update.nodes)
    most_made = most_warm = 0
    for number in range(60):
        update = committer.commit(update.root, transfers(random, addresses, 60))
        store.update(update.nodes)
        most_made = max(most_made, len(update.nodes))
        if number > 4 * KEPT_COMMITS:
            most_warm = max(most_warm, committer.warm_nodes)
    assert most_warm < 2 * (KEPT_COMMITS + 1) * most_made < len(store)


def test_the_same_block_twice_is_computed_once() -> None:
    changes = random_changes(Random(3), 2)
    committer = StateCommitter(no_node)
    first = committer.commit(EMPTY_TRIE_ROOT, changes[0])
    committer.commit(first.root, changes[1])
    assert committer.commit(EMPTY_TRIE_ROOT, random_changes(Random(3), 1)[0]) is first
    assert committer.commit(first.root, changes[0]) is not first


def test_a_node_that_is_not_there_stops_the_commit() -> None:
    change = StateChanges({ADDRESSES[0]: Account(1, 1)}, {}, frozenset(), {})
    with pytest.raises(MissingTrieNode, match="07" * 32):
        StateCommitter(no_node).commit(b"\x07" * 32, change)


def test_storage_of_an_account_that_is_not_among_the_changed_is_refused() -> None:
    change = StateChanges({}, {ADDRESSES[0]: {1: 1}}, frozenset(), {})
    with pytest.raises(ValueError, match="changes, but not its account"):
        StateCommitter(no_node).commit(EMPTY_TRIE_ROOT, change)


def test_missing_code_is_a_fault_that_names_it() -> None:
    state = TrieState(EMPTY_TRIE_ROOT, no_node)
    assert state.code(EMPTY_CODE_HASH) == b""
    with pytest.raises(MissingCode, match="09" * 32):
        state.code(b"\x09" * 32)
