"""Which fork's rules hold for a block of a plain Ethereum chain, from geth's genesis `config`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from consensus.ethereum.faults import UnsupportedFork
from consensus.ethereum.historic_forks import (
    ARROW_GLACIER,
    BERLIN,
    BYZANTIUM,
    CONSTANTINOPLE,
    FRONTIER,
    GRAY_GLACIER,
    HOMESTEAD,
    ISTANBUL,
    LONDON,
    MUIR_GLACIER,
    PETERSBURG,
    SPURIOUS_DRAGON,
    TANGERINE_WHISTLE,
    HistoricFork,
)
from consensus.faults import InvalidGenesis
from consensus.genesis import hex_bytes, quantity
from cvm.evm.block_requests import DEPOSIT_CONTRACT
from cvm.evm.forks import BPO1, BPO2, CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork

FORKS_BY_NUMBER: tuple[tuple[str, HistoricFork], ...] = (
    ("homesteadBlock", HOMESTEAD),
    ("eip150Block", TANGERINE_WHISTLE),
    ("eip155Block", SPURIOUS_DRAGON),
    ("byzantiumBlock", BYZANTIUM),
    ("constantinopleBlock", CONSTANTINOPLE),
    ("petersburgBlock", PETERSBURG),
    ("istanbulBlock", ISTANBUL),
    ("muirGlacierBlock", MUIR_GLACIER),
    ("berlinBlock", BERLIN),
    ("londonBlock", LONDON),
    ("arrowGlacierBlock", ARROW_GLACIER),
    ("grayGlacierBlock", GRAY_GLACIER),
)

FORKS_BY_TIME = (
    ("shanghaiTime", "shanghai", SHANGHAI),
    ("cancunTime", "cancun", CANCUN),
    ("pragueTime", "prague", PRAGUE),
    ("osakaTime", "osaka", OSAKA),
    ("bpo1Time", "bpo1", BPO1),
    ("bpo2Time", "bpo2", BPO2),
    ("bpo3Time", "bpo3", replace(BPO2, name="BPO3")),
    ("bpo4Time", "bpo4", replace(BPO2, name="BPO4")),
    ("bpo5Time", "bpo5", replace(BPO2, name="BPO5")),
)
UNKNOWN_FORKS_BY_TIME = (("amsterdamTime", "Amsterdam"),)


@dataclass(frozen=True, slots=True)
class ForkPoint:
    """Where a fork begins, in heights or seconds; `fork` is None where its rules are not here."""

    first: int
    name: str
    fork: Fork | HistoricFork | None = None


@dataclass(frozen=True, slots=True)
class EthereumForks:
    """The forks of one chain: those by height in order, then those by time in order.

    `dao_block` is the height of the DAO fork where the chain took it (EIP-779).
    `terminal_total_difficulty` is there where that alone tells the end of proof of work (EIP-3675):
    a block `has_merged` where its parent has reached it.
    """

    chain_id: int
    by_number: tuple[ForkPoint, ...]
    by_time: tuple[ForkPoint, ...] = ()
    deposit_contract: bytes = DEPOSIT_CONTRACT
    dao_block: int | None = None
    terminal_total_difficulty: int | None = None

    def at(self, number: int, timestamp: int, *, has_merged: bool = False) -> Fork | HistoricFork:
        """Return the rules of a block; raises `UnsupportedFork`."""
        point = self.point_at(number, timestamp, has_merged=has_merged)
        if point.fork is None:
            raise UnsupportedFork(point.name, number, timestamp)
        return point.fork

    def point_at(self, number: int, timestamp: int, *, has_merged: bool = False) -> ForkPoint:
        """Return the last fork that has begun; those by time begin once proof of work has ended."""
        point = [point for point in self.by_number if point.first <= number][-1]
        if has_merged:
            point = ForkPoint(number, PARIS.name, PARIS)
        if not isinstance(point.fork, Fork):
            return point
        return [point, *(late for late in self.by_time if late.first <= timestamp)][-1]

    def is_london(self, number: int) -> bool:
        """Tell whether a height is of London or later: whether headers have a base fee."""
        fork = [point.fork for point in self.by_number if point.first <= number][-1]
        return fork.is_london if isinstance(fork, HistoricFork) else fork is not None


def one_fork(chain_id: int, fork: Fork | HistoricFork) -> EthereumForks:
    """Return the forks of a chain that follows one rule set from its start."""
    return EthereumForks(chain_id, (ForkPoint(0, fork.name, fork),))


def parse_forks(config: Any, genesis_difficulty: int) -> EthereumForks:
    """Parse geth's `config`; raises `InvalidGenesis`."""
    if not isinstance(config, dict) or "chainId" not in config:
        raise InvalidGenesis("config must be an object with a chainId")
    deposit = config.get("depositContractAddress")
    by_number = parse_forks_by_number(config, genesis_difficulty)
    is_by_work = by_number[-1].name != PARIS.name and config.get("terminalTotalDifficulty")
    return EthereumForks(
        quantity(config, "chainId", 1),
        by_number,
        parse_forks_by_time(config),
        DEPOSIT_CONTRACT
        if deposit is None
        else hex_bytes(deposit, "config.depositContractAddress", 20),
        parse_dao_block(config),
        quantity(config, "terminalTotalDifficulty", 0) if is_by_work else None,
    )


def parse_dao_block(config: dict[str, Any]) -> int | None:
    """Return the height of the DAO fork, None for a chain that did not take it."""
    if config.get("daoForkBlock") is None or not config.get("daoForkSupport"):
        return None
    return quantity(config, "daoForkBlock", 0)


def parse_forks_by_number(
    config: Mapping[str, Any], genesis_difficulty: int
) -> tuple[ForkPoint, ...]:
    """Return the forks by height, Frontier first, the merge last."""
    config = dict(config)
    if config.get("eip158Block") != config.get("eip155Block"):
        raise InvalidGenesis("config: eip155Block and eip158Block are one fork, at one height")
    if config.get("petersburgBlock") is None:  # geth: Constantinople is then without EIP-1283
        config["petersburgBlock"] = config.get("constantinopleBlock")
    points = [ForkPoint(0, FRONTIER.name, FRONTIER)]
    for key, fork in FORKS_BY_NUMBER:
        if config.get(key) is not None:
            points.append(ForkPoint(quantity(config, key, 0), fork.name, fork))
    merge = merge_height(config, genesis_difficulty)
    if merge is not None:
        points.append(ForkPoint(merge, PARIS.name, PARIS))
    if any(after.first < before.first for before, after in pairwise(points)):
        raise InvalidGenesis(f"config: forks by height are out of order: {points}")
    return tuple(points)


def merge_height(config: dict[str, Any], genesis_difficulty: int) -> int | None:
    """Return the first height without proof of work, None where the chain does not tell it.

    It is `mergeNetsplitBlock`, or it follows from a terminal total difficulty that genesis has
    reached (EIP-3675): block 1, or block 0 if that has no difficulty itself.
    """
    if config.get("mergeNetsplitBlock") is not None:
        return quantity(config, "mergeNetsplitBlock", 0)
    if config.get("terminalTotalDifficulty") is None:
        return None
    if quantity(config, "terminalTotalDifficulty", 0) > genesis_difficulty:
        return None
    return 1 if genesis_difficulty else 0


def parse_forks_by_time(config: dict[str, Any]) -> tuple[ForkPoint, ...]:
    """Return the forks by time, in order, with the blob numbers of `blobSchedule`."""
    schedule = config.get("blobSchedule") or {}
    if not isinstance(schedule, dict):
        raise InvalidGenesis("config.blobSchedule must be an object of forks")
    points: list[ForkPoint] = []
    latest = PARIS
    for key, name, fork in FORKS_BY_TIME:
        if config.get(key) is not None:
            latest = with_blob_numbers(fork, schedule.get(name), latest)
            points.append(ForkPoint(quantity(config, key, 0), latest.name, latest))
    for key, name in UNKNOWN_FORKS_BY_TIME:
        if config.get(key) is not None:
            points.append(ForkPoint(quantity(config, key, 0), name))
    if any(after.first < before.first for before, after in pairwise(points)):
        raise InvalidGenesis(f"config: forks by time are out of order: {points}")
    return tuple(points)


def with_blob_numbers(fork: Fork, numbers: Any, latest: Fork) -> Fork:
    """Return a fork with the blob numbers of its entry in `blobSchedule` (EIP-7840).

    Where there is none, Cancun and Prague have those of their EIPs, later forks keep the latest.
    """
    if not fork.is_cancun:
        return fork
    if numbers is None:
        if not fork.is_osaka:
            return fork
        return replace(
            fork,
            target_blobs=latest.target_blobs,
            max_blobs=latest.max_blobs,
            blob_base_fee_fraction=latest.blob_base_fee_fraction,
        )
    if not isinstance(numbers, dict):
        raise InvalidGenesis(f"config.blobSchedule: {fork.name} must be an object")
    return replace(
        fork,
        target_blobs=quantity(numbers, "target", fork.target_blobs),
        max_blobs=quantity(numbers, "max", fork.max_blobs),
        blob_base_fee_fraction=quantity(
            numbers, "baseFeeUpdateFraction", fork.blob_base_fee_fraction
        ),
    )
