"""A chain in the database, as the eth protocol asks for it: our own, or a plain Ethereum one."""

import json
from bisect import bisect_left

from consensus.fork_schedule import SCHEDULE
from consensus.genesis import quantity
from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from node.p2p.eth_chain import EthIdentity
from node.p2p.eth_fork_id import ForkSchedule, schedule_of_genesis
from node.storage.chain_database import ChainDatabase, NoChainHere


class DatabaseView:
    """An `EthChainView` of what a database holds; it may grow meanwhile."""

    def __init__(self, database: ChainDatabase, identity: EthIdentity) -> None:
        self._database = database
        self._identity = identity
        self._work: int | None = None

    @property
    def identity(self) -> EthIdentity:
        """Return what two nodes must share to talk."""
        return self._identity

    @property
    def head(self) -> BlockHeader:
        """Return the newest header."""
        header = self._database.header(self._database.head_hash() or b"")
        if header is None:
            raise NoChainHere(self._database.path)
        return header

    @property
    def earliest(self) -> int:
        """Return 0, or the first height after the snapshot that the chain started from.

        While the snapshot's own block is the head, it is that one: a range that ends before it
        begins is a breach of eth/69, for which peers ban.
        """
        start = self._database.start_height()
        return min(start + 1, self.head.block_number) if start else 0

    def total_difficulty(self) -> int:
        """Return the sum of the difficulties up to the head; those after the merge are 0.

        So are those of headers that are not here: only chains of stake start from a snapshot.
        """
        if self._work is None or self.head.difficulty:
            heights = range(self.head.block_number + 1)
            first_of_stake = bisect_left(heights, True, key=self._is_of_stake)
            self._work = sum(map(self._difficulty_at, heights[:first_of_stake]))
        return self._work

    def _is_of_stake(self, number: int) -> bool:
        return self._difficulty_at(number) == 0

    def _difficulty_at(self, number: int) -> int:
        header = self.header(self.hash_at(number) or b"")
        return 0 if header is None else header.difficulty

    def hash_at(self, number: int) -> bytes | None:
        """Return the hash of the block at a height, None where there is none."""
        return self._database.hash_at(number)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return a header by its hash, None where it is not here."""
        return self._database.header(block_hash) if block_hash else None

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        """Return a block's RLP by its hash, None where it is not here."""
        return self._database.block_bytes(block_hash)

    def receipts(self, block_hash: bytes) -> tuple[Receipt, ...]:
        """Return the receipts of a block that is here."""
        return self._database.receipts(block_hash)


def view_of_chain(database: ChainDatabase) -> DatabaseView:
    """Return the view of a chain: forks by height for our own, else those of its genesis file.

    Raises `NoChainHere`.
    """
    genesis_json, genesis_hash = database.genesis_json(), database.hash_at(0)
    genesis = database.header(genesis_hash or b"\0")
    if genesis_json is None or genesis_hash is None or genesis is None:
        raise NoChainHere(database.path.parent)
    config = json.loads(genesis_json)["config"]
    if "cvm" in config:
        heights = sorted({fork.first_block for fork in SCHEDULE if fork.first_block})
        forks = ForkSchedule(genesis_hash, tuple(heights))
    else:
        forks = schedule_of_genesis(genesis_json, genesis_hash, genesis.timestamp)
    return DatabaseView(database, EthIdentity(quantity(config, "chainId", 1), forks))
