"""How difficult a block of proof of work is, given its parent."""

from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader

MIN_DIFFICULTY = 131_072  # Yellow Paper (41)
BOUND_DIVISOR = 2_048  # Yellow Paper (42)
LEAST_FACTOR = -99  # EIP-2
FRONTIER_CUTOFF_S = 13
HOMESTEAD_STEP_S = 10  # EIP-2
BYZANTIUM_STEP_S = 9  # EIP-100
BOMB_PERIOD = 100_000
BOMB_FREE_PERIODS = 2


def next_difficulty(parent: BlockHeader, timestamp: int, fork: HistoricFork) -> int:
    """Return the difficulty of the child of `parent` at a time later than the parent's."""
    step = parent.difficulty // BOUND_DIVISOR
    factor = adjustment(parent, timestamp, fork)
    difficulty = max(parent.difficulty + step * factor, MIN_DIFFICULTY)
    return difficulty + bomb(parent.block_number + 1, fork)


def adjustment(parent: BlockHeader, timestamp: int, fork: HistoricFork) -> int:
    """Return the steps by which the difficulty moves: up for a quick block (EIP-2, EIP-100)."""
    elapsed_s = timestamp - parent.timestamp
    if fork.is_byzantium:
        best = 1 if parent.uncles_hash == EMPTY_UNCLES_HASH else 2
        return max(best - elapsed_s // BYZANTIUM_STEP_S, LEAST_FACTOR)
    if fork.is_homestead:
        return max(1 - elapsed_s // HOMESTEAD_STEP_S, LEAST_FACTOR)
    return 1 if elapsed_s < FRONTIER_CUTOFF_S else -1


def bomb(number: int, fork: HistoricFork) -> int:
    """Return what the difficulty bomb adds, with the fork's delay (EIP-649 and its followers)."""
    fake_number = max(0, number - fork.bomb_delay)
    periods = fake_number // BOMB_PERIOD - BOMB_FREE_PERIODS
    return 1 << periods if periods >= 0 else 0
