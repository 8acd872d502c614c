"""eth_getProof: Merkle proofs of an account and of slots of its storage (EIP-1186)."""

from dataclasses import dataclass

from cvm.evm.state_reader import Account
from cvm.evm.trie_state import TrieState
from node.execution.execution_chain import ExecutionChain
from node.execution.messages import header_of


@dataclass(frozen=True, slots=True)
class SlotProof:
    """The value of a slot, with the nodes from the storage root to it."""

    slot: int
    value: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account, with the nodes from the state root to it, or to where it would be."""

    account: Account
    proof: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


@dataclass(frozen=True, slots=True)
class ProofJob:
    """Prove an account and some of its slots in the state after a block."""

    block_hash: bytes
    address: bytes
    slots: tuple[int, ...]

    def run(self, chain: ExecutionChain) -> AccountProof:
        """Return the proofs; raises `MissingTrieNode` where the state was pruned."""
        header = header_of(chain, self.block_hash)
        state = TrieState(header.state_root, chain.node, chain.code)
        return AccountProof(
            state.account(self.address) or Account(),
            tuple(state.account_proof(self.address)),
            tuple(
                SlotProof(
                    slot,
                    state.storage(self.address, slot),
                    tuple(state.storage_proof(self.address, slot)),
                )
                for slot in self.slots
            ),
        )
