"""A chain of plain Ethereum blocks in memory, and blocks that keep every rule of a fork."""

from dataclasses import replace
from typing import Any

from consensus.block import EMPTY_REQUESTS_HASH, EMPTY_WITHDRAWALS_ROOT
from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_chain import EthereumChain
from consensus.ethereum.ethereum_forks import one_fork
from consensus.header_rules import next_base_fee
from consensus.withdrawal import Withdrawal
from cvm.evm.block_requests import REQUEST_CONTRACTS
from cvm.evm.forks import CANCUN, Fork
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from tests.conformance.memory_states import MemoryStore

CHAIN_ID = 1
STOP = b"\0"
PARENT = BlockHeader(
    block_number=7,
    gas_limit=30_000_000,
    gas_used=15_000_000,
    timestamp=1_000,
    base_fee_per_gas=1_000,
    withdrawals_root=EMPTY_WITHDRAWALS_ROOT,
    blob_gas_used=0,
    excess_blob_gas=0,
    parent_beacon_block_root=bytes(32),
)


def child_of(parent: BlockHeader, fork: Fork = CANCUN, **changed: Any) -> BlockHeader:
    """Return a header that keeps every rule after `parent`, with some fields changed."""
    header = BlockHeader(
        parent_hash=parent.hash,
        state_root=parent.state_root,
        block_number=parent.block_number + 1,
        gas_limit=parent.gas_limit,
        timestamp=parent.timestamp + 12,
        base_fee_per_gas=next_base_fee(parent),
        withdrawals_root=EMPTY_WITHDRAWALS_ROOT if fork.is_shanghai else None,
        blob_gas_used=0 if fork.is_cancun else None,
        excess_blob_gas=0 if fork.is_cancun else None,
        parent_beacon_block_root=bytes(32) if fork.is_cancun else None,
        requests_hash=EMPTY_REQUESTS_HASH if fork.is_prague else None,
    )
    return replace(header, **changed)


class EthereumWorld:
    """A chain of one fork that starts from some accounts, and blocks on its head."""

    def __init__(
        self,
        accounts: dict[bytes, Account | None] | None = None,
        fork: Fork = CANCUN,
        codes: dict[bytes, bytes] | None = None,
    ) -> None:
        self.fork = fork
        store = MemoryStore()
        by_hash = {keccak256(code): code for code in (codes or {}).values()}
        made = dict(accounts or {})
        for address, code in (codes or {}).items():
            made[address] = Account(1, 0, EMPTY_TRIE_ROOT, keccak256(code))
        changes = StateChanges(made, {}, frozenset(), by_hash)
        root = store.states.commit(EMPTY_TRIE_ROOT, changes).root
        genesis = child_of(PARENT, fork, block_number=0, state_root=root)
        store.start(genesis, changes)
        self.chain = EthereumChain(one_fork(CHAIN_ID, fork), store, genesis)

    def block(self, withdrawals: tuple[Withdrawal, ...] = (), **changed: Any) -> EthereumBlock:
        """Return a block without transactions on the head, with some fields changed."""
        header = child_of(self.chain.head, self.fork, **changed)
        return EthereumBlock(header, (), (), withdrawals if self.fork.is_shanghai else None)


def request_contracts(code: bytes = STOP) -> dict[bytes, bytes]:
    """Return code for the contracts that must give requests from Prague on."""
    return {address: code for _kind, address in REQUEST_CONTRACTS}
