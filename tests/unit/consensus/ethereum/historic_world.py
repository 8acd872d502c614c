"""A chain of proof of work in memory, and blocks on its head that keep the rules of one fork.

What a block must show is told by its maker, from the accounts that the Yellow Paper leaves: nothing
here asks the code under test.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_chain import EthereumChain
from consensus.ethereum.ethereum_forks import EthereumForks, ForkPoint
from consensus.ethereum.historic_forks import HistoricFork
from consensus.header_rules import INITIAL_BASE_FEE
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.list_root import list_root
from cvm.evm.receipt import Receipt
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from cvm.evm.transaction import LEGACY, Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from tests.conformance.memory_states import ListedState, MemoryStore

CHAIN_ID = 1
GAS_LIMIT = 8_000_000
DIFFICULTY = 131_072
PERIOD_S = 13
"""A child is neither quick nor slow in any fork but Frontier, where it is slow: the least stays."""

MINER = b"\xaa" * 20
KEY = b"\x07" * 32


def child_of(parent: BlockHeader, fork: HistoricFork, **changed: Any) -> BlockHeader:
    """Return a header of an empty block after `parent`, with some fields changed."""
    header = BlockHeader(
        parent_hash=parent.hash,
        coinbase=MINER,
        difficulty=DIFFICULTY,
        state_root=parent.state_root,
        block_number=parent.block_number + 1,
        gas_limit=parent.gas_limit,
        timestamp=parent.timestamp + PERIOD_S,
        base_fee_per_gas=INITIAL_BASE_FEE if fork.is_london else None,
    )
    return replace(header, **changed)


def state_root(accounts: dict[bytes, Account], storage: dict[bytes, dict[int, int]]) -> bytes:
    """Return the root of a state that is given whole."""
    changes = StateChanges(dict(accounts), storage, frozenset(), {})
    return ListedState({}).update_after(changes).root


def ommers_hash(ommers: Sequence[BlockHeader]) -> bytes:
    return keccak256(encode_list(b"".join([ommer.encode() for ommer in ommers])))


def transfer(to: bytes, value: int, **changed: Any) -> Transaction:
    """Return a legacy transaction of `KEY` for one wei per gas, with some fields changed."""
    fields: dict[str, Any] = {
        "type_id": LEGACY,
        "chain_id": None,
        "nonce": 0,
        "max_fee_per_gas": 1,
        "to": to,
        "value": value,
    }
    return UnsignedTransaction(**(fields | changed)).sign(KEY)


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    return list_root([receipt.encode() for receipt in receipts])


class HistoricWorld:
    """A chain that follows one fork from some accounts on."""

    def __init__(
        self,
        fork: HistoricFork,
        accounts: dict[bytes, Account] | None = None,
        codes: dict[bytes, bytes] | None = None,
        dao_block: int | None = None,
    ) -> None:
        self.fork = fork
        self.accounts = dict(accounts or {})
        by_hash = {keccak256(code): code for code in (codes or {}).values()}
        for address, code in (codes or {}).items():
            self.accounts[address] = Account(0, 0, EMPTY_TRIE_ROOT, keccak256(code))
        store = MemoryStore()
        changes = StateChanges(dict(self.accounts), {}, frozenset(), by_hash)
        genesis = BlockHeader(
            block_number=0,
            gas_limit=GAS_LIMIT,
            timestamp=1_000,
            difficulty=DIFFICULTY,
            state_root=store.commit(EMPTY_TRIE_ROOT, changes).root,
            base_fee_per_gas=INITIAL_BASE_FEE if fork.is_london else None,
        )
        store.start(genesis, changes)
        forks = EthereumForks(CHAIN_ID, (ForkPoint(0, fork.name, fork),), dao_block=dao_block)
        self.chain = EthereumChain(forks, store, genesis)

    def root_with(
        self,
        changed: dict[bytes, Account],
        storage: dict[bytes, dict[int, int]] | None = None,
    ) -> bytes:
        """Return the root of the first state with some accounts in the place of what they were."""
        return state_root(self.accounts | changed, storage or {})

    def block(
        self,
        transactions: Sequence[Transaction] = (),
        ommers: tuple[BlockHeader, ...] = (),
        **changed: Any,
    ) -> EthereumBlock:
        """Return a block on the head; its maker says what execution gives."""
        fields = {
            "uncles_hash": ommers_hash(ommers),
            "transaction_root": list_root([tx.raw for tx in transactions]),
        }
        header = child_of(self.chain.head, self.fork, **(fields | changed))
        return EthereumBlock(header, tuple(transactions), ommers)

    def extend(self, count: int) -> None:
        """Import empty blocks, each of which pays its miner."""
        for _place in range(count):
            number = self.chain.head.block_number + 1
            earned = Account(balance=number * self.fork.reward_wei)
            self.chain.import_decoded(self.block(state_root=self.root_with({MINER: earned})))
