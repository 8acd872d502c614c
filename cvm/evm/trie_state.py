"""Any state whose trie nodes are there, read through its tries; with EIP-1186 proofs."""

from cvm.evm.account_encoding import decode_account
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account
from cvm.evm.trie import Trie
from cvm.evm.trie_nodes import string_of
from cvm.evm.trie_update import ReadNode
from cvm.faults import MissingCode


class TrieState:
    """The state of one root: a `StateReader` for questions about the past.

    `read` gives trie nodes, `read_code` code, both by hash. Nodes that were read stay in memory as
    long as the object. Raises `cvm.faults.MissingTrieNode` and `MissingCode`, as where the state
    was pruned.
    """

    def __init__(self, root: bytes, read: ReadNode, read_code: ReadNode | None = None) -> None:
        self.root = root
        self._read = read
        self._read_code = read_code or read
        self._accounts = Trie(read, root)
        self._storages: dict[bytes, Trie] = {}

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        data = self._accounts.get(keccak256(address))
        return None if data is None else decode_account(data)

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value of a slot, 0 where nothing is stored."""
        data = self._storage_trie(address).get(slot_key(slot))
        return 0 if data is None else int.from_bytes(string_of(data), "big")

    def code(self, code_hash: bytes) -> bytes:
        """Return code by its keccak256."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._read_code(code_hash)
        if code is None:
            raise MissingCode(code_hash)
        return code

    def account_proof(self, address: bytes) -> list[bytes]:
        """Return the nodes from the state root to an account, or to where it would be."""
        return self._accounts.prove(keccak256(address))

    def storage_proof(self, address: bytes, slot: int) -> list[bytes]:
        """Return the nodes from an account's storage root to a slot; none for empty storage."""
        return self._storage_trie(address).prove(slot_key(slot))

    def _storage_trie(self, address: bytes) -> Trie:
        trie = self._storages.get(address)
        if trie is None:
            account = self.account(address)
            root = EMPTY_TRIE_ROOT if account is None else account.storage_root
            trie = self._storages[address] = Trie(self._read, root)
        return trie


def slot_key(slot: int) -> bytes:
    """Return the key of a slot in a storage trie."""
    return keccak256(slot.to_bytes(32, "big"))
