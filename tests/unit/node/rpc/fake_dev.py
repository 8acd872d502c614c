"""A development chain that keeps what it is told, and makes no blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cvm.evm.transaction_signing import UnsignedTransaction
from node.rpc.dev_view import SnapshotFact

SNAPSHOT = SnapshotFact(3, 7, b"\x77" * 32)
SENT = b"\x5e" * 32
INSTANCE = b"\x1d" * 32


@dataclass
class FakeDev:
    """See `node.rpc.dev_view.DevView`; `told` has every change, by its name."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    async def mine(
        self, count: int, seconds_apart: int | None = None, first_at: int | None = None
    ) -> None:
        self.told.append(("mine", count, seconds_apart, first_at))

    async def take_snapshot(self) -> int:
        return SNAPSHOT.snapshot_id

    async def revert(self, snapshot_id: int) -> bool:
        return snapshot_id == SNAPSHOT.snapshot_id

    async def restart(self) -> None:
        self.told.append(("restart",))

    def snapshots(self) -> Sequence[SnapshotFact]:
        return [SNAPSHOT]

    async def set_balance(self, address: bytes, wei: int) -> None:
        self.told.append(("balance", address, wei))

    async def add_balance(self, address: bytes, wei: int) -> None:
        self.told.append(("more", address, wei))

    async def set_nonce(self, address: bytes, nonce: int) -> None:
        self.told.append(("nonce", address, nonce))

    async def set_code(self, address: bytes, code: bytes) -> None:
        self.told.append(("code", address, code))

    async def set_storage(self, address: bytes, slot: int, value: int) -> None:
        self.told.append(("storage", address, slot, value))

    def impersonate(self, address: bytes) -> None:
        self.told.append(("impersonate", address))

    def stop_impersonating(self, address: bytes) -> None:
        self.told.append(("stop", address))

    def impersonate_all(self, *, is_on: bool) -> None:
        self.told.append(("all", is_on))

    def impersonated(self) -> Sequence[bytes]:
        return [b"\x11" * 20]

    def may_impersonate(self, address: bytes) -> bool:
        return address in self.impersonated()

    async def send_as(self, sender: bytes, tx: UnsignedTransaction) -> bytes:
        self.told.append(("send", sender, tx.nonce))
        return SENT

    def increase_time(self, seconds: int) -> int:
        return seconds

    def set_time(self, timestamp: int) -> int:
        self.told.append(("time", timestamp))
        return 5

    def set_next_timestamp(self, timestamp: int) -> None:
        self.told.append(("next", timestamp))

    def set_block_interval(self, seconds: int | None) -> bool:
        self.told.append(("step", seconds))
        return True

    def set_next_base_fee(self, wei: int) -> None:
        self.told.append(("fee", wei))

    def automine(self) -> bool:
        return True

    def set_automine(self, *, is_on: bool) -> None:
        self.told.append(("automine", is_on))

    def interval(self) -> int | None:
        return 12

    def set_interval(self, seconds: int) -> None:
        self.told.append(("interval", seconds))

    def drop(self, tx_hash: bytes) -> bool:
        return tx_hash == SENT

    def drop_from(self, sender: bytes) -> None:
        self.told.append(("drop", sender))

    def drop_all(self) -> None:
        self.told.append(("drop",))

    def instance_id(self) -> bytes:
        return INSTANCE
