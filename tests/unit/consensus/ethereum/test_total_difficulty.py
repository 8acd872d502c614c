"""The sum of difficulties, and the end of proof of work where it reaches its terminal value."""

from dataclasses import replace

import pytest

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_chain import EthereumChain
from consensus.ethereum.ethereum_forks import one_fork
from consensus.ethereum.faults import DifficultyNotZero, WrongDifficulty
from consensus.ethereum.historic_forks import GRAY_GLACIER
from consensus.ethereum.total_difficulty import KEPT_TOTALS, TotalDifficulties
from consensus.header_rules import next_base_fee
from cvm.evm.header import BlockHeader
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from tests.conformance.memory_states import MemoryStore
from tests.unit.consensus.ethereum.historic_world import MINER, child_of, state_root

DIFFICULTY = 131_072
REWARD = 2 * 10**18


def chain_of(count: int) -> list[BlockHeader]:
    headers = [BlockHeader(block_number=0, gas_limit=5_000, timestamp=0, difficulty=7)]
    for place in range(1, count):
        headers.append(child_of(headers[-1], GRAY_GLACIER, difficulty=place))
    return headers


def test_difficulties_are_summed_from_block_0_on() -> None:
    headers = chain_of(5)
    by_hash = {header.hash: header for header in headers}
    totals = TotalDifficulties(by_hash.get)
    assert totals.of(headers[4]) == 7 + 1 + 2 + 3 + 4
    assert [totals.of(header) for header in headers] == [7, 8, 10, 13, 17]


def test_a_block_reads_no_more_ancestors_than_its_parent() -> None:
    headers = chain_of(KEPT_TOTALS + 50)
    by_hash = {header.hash: header for header in headers}
    read: list[bytes] = []

    def header_of(block_hash: bytes) -> BlockHeader | None:
        read.append(block_hash)
        return by_hash.get(block_hash)

    totals = TotalDifficulties(header_of)
    for header in headers:
        totals.of(header)
    assert read == [header.hash for header in headers[:-1]]
    assert totals.of(headers[0]) == 7


class MergeWorld:
    """A chain of Gray Glacier that ends proof of work at three times the least difficulty."""

    def __init__(self) -> None:
        store = MemoryStore()
        genesis = BlockHeader(
            block_number=0,
            gas_limit=8_000_000,
            timestamp=1_000,
            difficulty=DIFFICULTY,
            base_fee_per_gas=1_000,
        )
        assert store.start(genesis, StateChanges({}, {}, frozenset(), {})) == EMPTY_TRIE_ROOT
        forks = replace(one_fork(1, GRAY_GLACIER), terminal_total_difficulty=3 * DIFFICULTY)
        self.chain = EthereumChain(forks, store, genesis)

    def block(self, paid: int, difficulty: int) -> EthereumBlock:
        """Return an empty block of which `paid` so far brought the miner a reward."""
        head = self.chain.head
        root = state_root({MINER: Account(balance=paid * REWARD)}, {})
        header = child_of(
            head,
            GRAY_GLACIER,
            difficulty=difficulty,
            state_root=root,
            base_fee_per_gas=next_base_fee(head),
        )
        return EthereumBlock(header, ())


def test_proof_of_work_ends_where_the_sum_reaches_its_terminal_value() -> None:
    world = MergeWorld()
    for number in (1, 2):
        with pytest.raises(WrongDifficulty, match="difficulty is 0, must be 131072"):
            world.chain.import_decoded(world.block(number - 1, 0))
        world.chain.import_decoded(world.block(number, DIFFICULTY))
    for _place in range(2):
        with pytest.raises(DifficultyNotZero, match="difficulty is 131072, must be 0"):
            world.chain.import_decoded(world.block(3, DIFFICULTY))
        world.chain.import_decoded(world.block(2, 0))
    assert world.chain.head.block_number == 4
