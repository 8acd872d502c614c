"""What callers of `cvm dev` do to its chain by hand: see `node.rpc.dev_view.DevView`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from cvm.evm.faults import InvalidTransaction
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account, StateReader
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.dev.dev_chain import AccountChange, ChainPoint
from node.dev.dev_clock import ClockReading
from node.dev.impersonation import sender_without_key, signed_by_no_key
from node.dev.miner import DevMiner, MiningMode
from node.keys import draw_bytes
from node.local_transactions import LocalTransactions
from node.pool.limits import pool_head
from node.rpc.dev_faults import TimestampTooLow
from node.rpc.dev_view import SnapshotFact
from node.rpc.filter_table import FilterTable, KeptFilters

log = structlog.get_logger(__name__)
ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a revert brings back."""

    fact: SnapshotFact
    point: ChainPoint
    reading: ClockReading
    next_base_fee: int | None
    waiting: tuple[Transaction, ...]
    filters: KeptFilters


class WithoutCode:
    """A state in which one account has no code: who impersonates a contract sends as anybody."""

    def __init__(self, state: StateReader, address: bytes) -> None:
        self._state = state
        self._address = address
        self.storage = state.storage
        self.code = state.code

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        account = self._state.account(address)
        if account is None or address != self._address:
            return account
        return replace(account, code_hash=EMPTY_CODE_HASH)


class DevControl:
    """See `DevView`; snapshots are in memory and end with the process.

    `moved` is told whenever the chain or its state was changed.
    """

    def __init__(
        self,
        miner: DevMiner,
        local: LocalTransactions,
        filters: FilterTable,
        moved: Callable[[], None],
    ) -> None:
        self._miner = miner
        self._chain = miner.chain
        self._clock = miner.clock
        self._local = local
        self._pool = local.pool
        self._filters = filters
        self._moved = moved
        self._snapshots: list[Snapshot] = []
        self._next_id = 0
        self._impersonated: dict[bytes, None] = {}
        self._impersonates_all = False
        self._instance_id = draw_bytes(ID_BYTES)

    async def mine(
        self, count: int, seconds_apart: int | None = None, first_at: int | None = None
    ) -> None:
        """Make blocks now, the first one of a given time; raises `TimestampTooLow`.

        With `seconds_apart` each comes so much later than the one before.
        """
        await self._miner.alone(lambda: self._mine(count, seconds_apart, first_at))

    async def _mine(self, count: int, seconds_apart: int | None, first_at: int | None) -> None:
        if first_at is not None:
            self.set_next_timestamp(first_at)
        for place in range(count):
            if seconds_apart is not None and place == 0:
                self._clock.offset_s += seconds_apart
            elif seconds_apart is not None:
                self._clock.next_s = self._chain.head.timestamp + seconds_apart
            await self._miner.mine_one()

    async def take_snapshot(self) -> int:
        """Remember chain, state, pool, time and filters; return the snapshot's number."""
        return await self._miner.alone(self._take_snapshot)

    async def _take_snapshot(self) -> int:
        snapshot_id, self._next_id = self._next_id, self._next_id + 1
        head = self._chain.head
        self._snapshots.append(
            Snapshot(
                SnapshotFact(snapshot_id, head.block_number, head.hash),
                self._chain.point(),
                self._clock.reading(),
                self._miner.next_base_fee,
                self._waiting(),
                self._filters.keep(),
            )
        )
        return snapshot_id

    async def revert(self, snapshot_id: int) -> bool:
        """Go back to a snapshot, which ends it and later ones; tell whether there was one."""
        return await self._miner.alone(lambda: self._revert(snapshot_id))

    async def _revert(self, snapshot_id: int) -> bool:
        ids = [each.fact.snapshot_id for each in self._snapshots]
        if snapshot_id not in ids:
            return False
        place = ids.index(snapshot_id)
        snapshot = self._snapshots[place]
        del self._snapshots[place:]
        await self._miner.write(lambda: self._chain.go_back(snapshot.point))
        self._clock.go_back(snapshot.reading)
        self._miner.next_base_fee = snapshot.next_base_fee
        self._filters.go_back(snapshot.filters)
        self._refill(snapshot.waiting)
        return True

    async def restart(self) -> None:
        """Begin again with block 0, or with what was there when the first caller came."""
        await self._miner.alone(self._restart)

    async def _restart(self) -> None:
        self._snapshots.clear()
        await self._miner.write(self._chain.restart)
        self._clock.restart()
        self._miner.next_base_fee = None
        self._impersonated.clear()
        self._impersonates_all = False
        self._instance_id = draw_bytes(ID_BYTES)
        self._filters.go_back(None)
        self._refill(())

    def snapshots(self) -> Sequence[SnapshotFact]:
        """Return the snapshots that are left, oldest first."""
        return [each.fact for each in self._snapshots]

    async def set_balance(self, address: bytes, wei: int) -> None:
        """Set an account's balance in the state after the head."""
        await self._alter(address, lambda _account: AccountChange(balance=wei))

    async def add_balance(self, address: bytes, wei: int) -> None:
        """Add to an account's balance."""
        await self._alter(address, lambda account: AccountChange(balance=account.balance + wei))

    async def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set an account's transaction count."""
        await self._alter(address, lambda _account: AccountChange(nonce=nonce))

    async def set_code(self, address: bytes, code: bytes) -> None:
        """Set an account's code."""
        await self._alter(address, lambda _account: AccountChange(code=code))

    async def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a word of an account's storage."""
        await self._alter(address, lambda _account: AccountChange(storage={slot: value}))

    async def _alter(self, address: bytes, wanted: Callable[[Account], AccountChange]) -> None:
        """Change an account between two blocks; what waits in the pool looks at it again."""
        await self._miner.alone(lambda: self._altered(address, wanted))

    async def _altered(self, address: bytes, wanted: Callable[[Account], AccountChange]) -> None:
        chain = self._chain
        with chain.state_at(chain.head) as state:
            change = wanted(state.account(address) or Account())
        await self._miner.write(lambda: chain.alter({address: change}))
        with chain.state_at(chain.head) as state:
            self._pool.settle(state, changed=(address,))
        self._tell()

    def impersonate(self, address: bytes) -> None:
        """Let eth_sendTransaction send from an account without its key."""
        self._impersonated[address] = None

    def stop_impersonating(self, address: bytes) -> None:
        """End that."""
        self._impersonated.pop(address, None)

    def impersonate_all(self, *, is_on: bool) -> None:
        """Let eth_sendTransaction send from any account, or end that."""
        self._impersonates_all = is_on

    def impersonated(self) -> Sequence[bytes]:
        """Return the accounts that were named to `impersonate`."""
        return tuple(self._impersonated)

    def may_impersonate(self, address: bytes) -> bool:
        """Tell whether eth_sendTransaction may send from an account without its key."""
        return self._impersonates_all or address in self._impersonated

    async def send_as(self, sender: bytes, tx: UnsignedTransaction) -> bytes:
        """Put a transaction that no key signed into the pool; return its hash."""
        made = signed_by_no_key(tx, sender)
        with self._chain.state_at(self._chain.head) as state:
            self._pool.add(made, WithoutCode(state, sender))
        self._miner.wake()
        return made.hash

    def increase_time(self, seconds: int) -> int:
        """Move the chain's time forward; return by how much it is ahead of the machine's."""
        self._clock.offset_s += seconds
        return self._clock.offset_s

    def set_time(self, timestamp: int) -> int:
        """Set the chain's time; return the same. Raises `TimestampTooLow`."""
        self._clock.set_now(timestamp)
        return self._clock.offset_s

    def set_next_timestamp(self, timestamp: int) -> None:
        """Set the time of the next block; raises `TimestampTooLow`."""
        head_s = self._chain.head.timestamp
        if timestamp <= head_s:
            raise TimestampTooLow(timestamp, head_s)
        self._clock.next_s = timestamp

    def set_block_interval(self, seconds: int | None) -> bool:
        """Fix the time between blocks, or free it; tell whether it was fixed before."""
        was_fixed, self._clock.step_s = self._clock.step_s is not None, seconds
        return was_fixed

    def set_next_base_fee(self, wei: int) -> None:
        """Set the base fee of the next block."""
        self._miner.next_base_fee = wei
        self._miner.wake()

    def automine(self) -> bool:
        """Tell whether a block is made as soon as a transaction waits."""
        return self._miner.mode.is_instant

    def set_automine(self, *, is_on: bool) -> None:
        """Make a block as soon as a transaction waits, or only when told to.

        A chain that also made blocks while it was idle does so again.
        """
        if is_on == self._miner.mode.is_instant:
            return
        first = self._miner.first_mode
        self._miner.set_mode(first if is_on and first.is_instant else MiningMode(is_on))

    def interval(self) -> int | None:
        """Return after how many seconds a block is made without being asked for."""
        mode = self._miner.mode
        return None if mode.is_instant else mode.interval_s

    def set_interval(self, seconds: int) -> None:
        """Make a block every so many seconds, and none in between; 0 ends that."""
        self._miner.set_mode(MiningMode(is_instant=False, interval_s=seconds or None))

    def drop(self, tx_hash: bytes) -> bool:
        """Remove a transaction from the pool; tell whether it was there."""
        tx = self._pool.get(tx_hash)
        if tx is not None:
            self._pool.drop(tx)
        return tx is not None

    def drop_from(self, sender: bytes) -> None:
        """Remove all that a sender has in the pool."""
        self._drop([tx for tx in self._waiting() if tx.sender == sender])

    def drop_all(self) -> None:
        """Empty the pool."""
        self._drop(self._waiting())

    def instance_id(self) -> bytes:
        """Return 32 random bytes: other ones after every start and restart."""
        return self._instance_id

    def _waiting(self) -> tuple[Transaction, ...]:
        """Return what waits in the pool, each sender's in the order of nonces."""
        content = self._pool.content()
        lists = (*content.pending.values(), *content.queued.values())
        return tuple([tx for each in lists for tx in each])

    def _drop(self, transactions: Iterable[Transaction]) -> None:
        for tx in transactions:
            self._pool.drop(tx)

    def _refill(self, transactions: Sequence[Transaction]) -> None:
        """Follow the head to where it went, with these transactions in the pool."""
        head = self._chain.head
        self._drop(self._waiting())
        with self._chain.state_at(head) as state:
            self._pool.settle(state, pool_head(head))
            for tx in transactions:
                self._restore(tx, state)
        self._local.rewrite_journal()
        self._tell()

    def _restore(self, tx: Transaction, state: StateReader) -> None:
        """Take back a transaction that waited; one that the state takes no more is named."""
        reader = state if sender_without_key(tx) is None else WithoutCode(state, tx.sender)
        try:
            self._pool.restore(tx, reader)
        except InvalidTransaction as fault:
            log.warning("transaction not restored", tx=f"0x{tx.hash.hex()}", reason=str(fault))

    def _tell(self) -> None:
        """Wake whoever looks at the head, and the miner."""
        self._miner.wake()
        self._moved()
