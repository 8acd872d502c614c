"""The parts of a node that only `cvm dev` has, put together."""

import asyncio
from collections.abc import Callable

from node.block_writer import BlockWriter
from node.chain import Chain
from node.clock import now_s
from node.config import NodeConfig
from node.dev.dev_chain import DevChain
from node.dev.dev_clock import DevClock
from node.dev.dev_control import DevControl
from node.dev.miner import DevMiner, MiningMode
from node.local_transactions import LocalTransactions
from node.rpc.filter_table import FilterTable
from node.transaction_pool import TransactionPool

IDLE_S = 1


def dev_miner(
    config: NodeConfig,
    chain: Chain,
    writer: BlockWriter,
    pool: TransactionPool,
    work: asyncio.Event,
) -> DevMiner | None:
    """Return what makes the blocks of a development chain, None for any other."""
    if not isinstance(chain, DevChain) or config.validator_key is None:
        return None
    mode = first_mode(config)
    return DevMiner(chain, writer, pool, config.validator_key, DevClock(now_s), work, mode)


def first_mode(config: NodeConfig) -> MiningMode:
    """Return when blocks are made until a caller wants something else."""
    if config.block_time_s is not None:
        return MiningMode(is_instant=False, interval_s=config.block_time_s)
    return MiningMode(is_instant=True, interval_s=IDLE_S if config.idle_blocks else None)


def dev_control(
    miner: DevMiner | None,
    local: LocalTransactions,
    filters: FilterTable,
    moved: Callable[[], None],
) -> DevControl | None:
    """Return what callers change a development chain with; `moved` is told of each change."""
    return None if miner is None else DevControl(miner, local, filters, moved)
