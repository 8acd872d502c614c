"""State and block overrides of eth_call and its kin, in geth's shapes and with its rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from consensus.withdrawal import Withdrawal
from cvm.evm.execution import BlockContext
from cvm.evm.message_rules import Additions, Precompile
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.world_state import WorldState
from node.checksum_address import checksum_address
from node.execution.faults import OverrideRefused

Slots = tuple[tuple[int, int], ...]
"""Slots with their values."""


@dataclass(frozen=True, slots=True)
class AccountOverride:
    """What is set of one account before anything runs; None leaves it as it is.

    `state` replaces all storage, `state_diff` some slots. A precompile goes to `moves_to`.
    """

    address: bytes
    nonce: int | None = None
    code: bytes | None = None
    balance: int | None = None
    state: Slots | None = None
    state_diff: Slots | None = None
    moves_to: bytes | None = None


StateOverrides = tuple[AccountOverride, ...]


@dataclass(frozen=True, slots=True)
class BlockOverrides:
    """What is set of the block that a message sees; None leaves it as it is."""

    number: int | None = None
    difficulty: int | None = None
    timestamp: int | None = None
    gas_limit: int | None = None
    coinbase: bytes | None = None
    prev_randao: bytes | None = None
    base_fee: int | None = None
    blob_base_fee: int | None = None
    beacon_root: bytes | None = None
    withdrawals: tuple[Withdrawal, ...] | None = None

    def context(self, context: BlockContext) -> BlockContext:
        """Return a block with what is set here."""
        return replace(
            context,
            number=context.number if self.number is None else self.number,
            timestamp=context.timestamp if self.timestamp is None else self.timestamp,
            gas_limit=context.gas_limit if self.gas_limit is None else self.gas_limit,
            coinbase=context.coinbase if self.coinbase is None else self.coinbase,
            prev_randao=context.prev_randao if self.prev_randao is None else self.prev_randao,
            base_fee=context.base_fee if self.base_fee is None else self.base_fee,
        )


NO_BLOCK_OVERRIDES = BlockOverrides()


@dataclass(frozen=True, slots=True)
class Precompiles:
    """The precompiled contracts of a run: those of Ethereum, and those that our chain adds."""

    table: Mapping[bytes, Precompile]
    additions: Additions

    def addresses(self) -> tuple[bytes, ...]:
        """Return where they are; geth keeps them warm there, wherever overrides move them."""
        return (*self.table, *self.additions.precompiles)

    def overridden(self, overrides: StateOverrides) -> "Precompiles":
        """Return them after moves and removals, as geth does them; raises `OverrideRefused`.

        Whatever is overridden of a precompile's account, the precompile is gone from there.
        """
        table, added = dict(self.table), dict(self.additions.precompiles)
        named = {override.address for override in overrides}
        taken: set[bytes] = set()
        for override in overrides:
            address, target = override.address, override.moves_to
            if address in taken:
                raise OverrideRefused(
                    f"account {checksum_address(address)} has already been overridden"
                    " by a precompile"
                )
            native, own = table.pop(address, None), added.pop(address, None)
            if target is None:
                continue
            if native is None and own is None:
                raise OverrideRefused(f"account {checksum_address(address)} is not a precompile")
            if target in named:
                raise OverrideRefused(f"account {checksum_address(target)} is already overridden")
            taken.add(target)
            table.pop(target, None)
            added.pop(target, None)
            if native is not None:
                table[target] = native
            if own is not None:
                added[target] = own
        additions = self.additions
        if added != dict(additions.precompiles):
            additions = replace(additions, precompiles=added)
        return Precompiles(table, additions)


def apply_overrides(world: WorldState, overrides: StateOverrides) -> None:
    """Write overrides as if a transaction before all others had; raises `OverrideRefused`."""
    if not overrides:
        return
    world.begin_transaction()
    for override in overrides:
        if override.state is not None and override.state_diff is not None:
            raise OverrideRefused(
                f"account {checksum_address(override.address)} has both 'state' and 'stateDiff'"
            )
        account = world.account(override.address)
        if override.nonce is not None:
            world.set_nonce(account, override.nonce)
        if override.code is not None:
            world.set_code(account, override.code)
        if override.balance is not None:
            world.set_balance(account, override.balance)
        if override.state is not None:
            clear_storage(world, override.address)
        for slot, value in override.state or override.state_diff or ():
            world.set_storage(account, slot, value)


def clear_storage(world: WorldState, address: bytes) -> None:
    """Make every slot of an account zero."""
    account = world.account(address)
    if account.loaded is not None and account.loaded.storage_root != EMPTY_TRIE_ROOT:
        world.slots.clear(account)
