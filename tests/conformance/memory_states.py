"""States of accounts in dictionaries and tries in memory, as the cases of public suites need."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from consensus.ethereum.ethereum_chain import CheckedEthereumBlock
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    StateChanges,
    StateReader,
)
from cvm.evm.trie_state import TrieState


def number(text: str | None) -> int:
    """Return a number that a suite writes as hex; 0 where it is left out."""
    return int(text, 16) if text else 0


def data_of(text: str) -> bytes:
    """Return bytes that a suite writes as hex."""
    return bytes.fromhex(text.removeprefix("0x"))


def changes_of(accounts: Mapping[str, Any]) -> StateChanges:
    """Return the accounts that a suite lists, as the changes of an empty state."""
    made: dict[bytes, Account | None] = {}
    storage: dict[bytes, dict[int, int]] = {}
    codes: dict[bytes, bytes] = {}
    for text, entry in accounts.items():
        address, code = data_of(text), data_of(entry["code"])
        code_hash = keccak256(code) if code else EMPTY_CODE_HASH
        codes[code_hash] = code
        made[address] = Account(
            number(entry["nonce"]), number(entry["balance"]), EMPTY_TRIE_ROOT, code_hash
        )
        slots = {number(slot): number(value) for slot, value in entry["storage"].items()}
        if any(slots.values()):
            storage[address] = {slot: value for slot, value in slots.items() if value}
    return StateChanges(made, storage, frozenset(), codes)


class ListedState:
    """The state that a suite lists, in dictionaries: what many cases start from."""

    def __init__(self, accounts: Mapping[str, Any]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._committer = StateCommitter(self._nodes.get)
        self._start = self._committer.commit(EMPTY_TRIE_ROOT, changes_of(accounts))
        self._nodes.update(self._start.nodes)
        self.root = self._start.root

    def root_after(self, changes: StateChanges) -> bytes:
        """Return the state root after changes, which are not kept."""
        return self.update_after(changes).root

    def update_after(self, changes: StateChanges) -> StateUpdate:
        """Return what changes make of the state, which are not kept."""
        return self._committer.commit(self.root, changes)

    def account(self, address: bytes) -> Account | None:
        return self._start.accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:
        return self._start.storage.get(address, {}).get(slot, 0)

    def code(self, code_hash: bytes) -> bytes:
        return self._start.codes[code_hash]


class MemoryStore:
    """An `EthereumStore` in memory: every state stays readable."""

    def __init__(self) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._codes: dict[bytes, bytes] = {}
        self._headers: dict[bytes, BlockHeader] = {}
        self._ommers: dict[bytes, tuple[BlockHeader, ...]] = {}
        self._committer = StateCommitter(self._nodes.get)

    @property
    def states(self) -> "MemoryStore":
        return self

    @contextmanager
    def reader(self, state_root: bytes) -> Iterator[StateReader]:
        yield TrieState(state_root, self._nodes.get, self._codes.get)

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        return self._committer.commit(parent_root, changes)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        return self._headers.get(block_hash)

    def ommers(self, block_hash: bytes) -> tuple[BlockHeader, ...]:
        return self._ommers.get(block_hash, ())

    def start(self, genesis: BlockHeader, changes: StateChanges) -> bytes:
        """Begin with a block 0 and its state; return the root of that."""
        update = self.commit(EMPTY_TRIE_ROOT, changes)
        self._keep(genesis, update)
        return update.root

    def append(self, checked: CheckedEthereumBlock) -> None:
        self._ommers[checked.block.hash] = checked.block.ommers
        self._keep(checked.block.header, checked.update)

    def _keep(self, header: BlockHeader, update: StateUpdate) -> None:
        self._nodes.update(update.nodes)
        self._codes.update(update.codes)
        self._headers[header.hash] = header
