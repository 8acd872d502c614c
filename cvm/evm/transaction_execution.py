"""Runs one transaction: what it pays first, its message, and what is settled at its end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.contract_code import ContractCode
from cvm.evm.creation_address import creation_address
from cvm.evm.live_account import DELEGATION_PREFIX, LiveAccount, delegate_address
from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.message_rules import Additions, MakeInterpreter, Precompile, Rules
from cvm.evm.messages import BlockEnvironment, Message, Outcome, TransactionEnvironment
from cvm.evm.payable import Payable
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.transaction import Authorization
from cvm.evm.transaction_gas import floor_data_gas, intrinsic_gas
from cvm.evm.world_state import WorldState

MAX_REFUND_QUOTIENT = 5  # EIP-3529
NEW_ACCOUNT_REFUND = 12_500  # EIP-7702: 25,000 - 12,500


class Executed(NamedTuple):
    """What one transaction did: its outcome and the gas that its sender pays for."""

    outcome: Outcome
    gas_used: int
    royalties: tuple[tuple[bytes, int], ...] = ()
    """Whom `settle` gives how many wei of what the sender paid."""


class TransactionExecution:
    """Runs transactions of one block, one after the other.

    Precompiles are warm from the start, or what is in `warm` where they are not a fork's own.
    """

    def __init__(
        self,
        world: WorldState,
        block: BlockEnvironment,
        precompiles: Mapping[bytes, Precompile],
        additions: Additions,
        make_interpreter: MakeInterpreter,
        warm: Iterable[bytes] | None = None,
    ) -> None:
        self._world = world
        self._block = block
        self._precompiles = precompiles
        self._additions = additions
        self._interpreter = make_interpreter(Rules(world, block, precompiles, additions))
        for address in (*precompiles, *additions.precompiles) if warm is None else warm:
            world.keep_warm(address)
        for address in precompiles:
            world.call_natively(address)
        if world.fork.is_shanghai:
            world.keep_warm(block.coinbase)  # EIP-3651

    def run(self, tx: Payable) -> Executed:
        """Run a transaction that keeps every rule; raises what an addition raises.

        After an exception the caller must call `abandon`.
        """
        world, block = self._world, self._block
        owed_before = len(self._additions.royalties())
        world.begin_transaction()
        price = effective_gas_price(tx, block.base_fee)
        sender = world.account(tx.sender)
        spent = tx.gas * price + len(tx.blob_versioned_hashes) * GAS_PER_BLOB * block.blob_base_fee
        world.set_balance(sender, sender.balance - spent)
        self._warm(tx, sender)
        environment = TransactionEnvironment(tx.sender, price, tx.blob_versioned_hashes)
        gas = tx.gas - intrinsic_gas(tx, world.fork)
        message = self._message(tx, sender, gas)
        for authorization in tx.authorization_list:
            self._delegate(authorization)
        self._warm_destination(message)
        outcome = self._interpreter.execute(message, environment)
        royalties = self._additions.royalties()[owed_before:]
        royalty_gas = sum(gas for _owner, gas in royalties)
        gas_used = self._gas_used(tx, outcome, royalty_gas)
        world.set_balance(sender, sender.balance + (tx.gas - gas_used) * price)
        coinbase = world.account(block.coinbase)
        tip = (gas_used - royalty_gas) * (price - block.base_fee)
        world.set_balance(coinbase, coinbase.balance + tip)
        wei = [(owner, gas * price) for owner, gas in royalties if price]
        return Executed(outcome, gas_used, tuple(wei))

    def execute(self, message: Message, transaction: TransactionEnvironment) -> Outcome:
        """Run a message that no transaction pays for, as the protocol's own calls are."""
        return self._interpreter.execute(message, transaction)

    def settle(self, royalties: Sequence[tuple[bytes, int]] = ()) -> None:
        """Remove what the transaction destroyed, then pay royalties, which run no code.

        Nothing can be taken back after it.
        """
        world = self._world
        world.end_transaction()
        for owner, wei in royalties:
            account = world.account(owner)
            world.set_balance(account, account.balance + wei)

    def abandon(self) -> None:
        """Take everything back that the running transaction did."""
        self._world.undo((0, 0, 0, 0, 0))

    def _warm(self, tx: Payable, sender: LiveAccount) -> None:
        """Warm what is warm from the start (EIP-2929, EIP-2930, EIP-3651)."""
        world = self._world
        world.warm_address(sender)
        for address, keys in tx.access_list:
            account = world.account(address)
            world.warm_address(account)
            for key in keys:
                world.slots.warm(world.slots.slot(account, key))

    def _message(self, tx: Payable, sender: LiveAccount, gas: int) -> Message:
        """Return the message of a transaction, and count the sender's nonce up."""
        nonce = sender.nonce
        self._world.set_nonce(sender, nonce + 1)
        if tx.to:
            return Message(tx.sender, tx.to, tx.to, tx.value, gas, tx.data)
        address = creation_address(tx.sender, nonce)
        return Message(
            tx.sender,
            address,
            address,
            tx.value,
            gas,
            b"",
            is_creation=True,
            code=ContractCode(tx.data),
        )

    def _warm_destination(self, message: Message) -> None:
        """Warm where the message goes, and where a delegation there leads (EIP-7702)."""
        world = self._world
        target = world.account(message.target)
        world.warm_address(target)
        if world.fork.is_prague and not message.is_creation:
            delegate = world.delegate_of(target)
            if delegate is not None:
                world.warm_address(world.account(delegate))

    def _delegate(self, authorization: Authorization) -> None:
        """Set or clear one account's delegation, or skip it without a word (EIP-7702)."""
        world = self._world
        if authorization.chain_id not in (0, self._block.chain_id):
            return
        if authorization.nonce >= MAX_NONCE:
            return
        signer = authorization.signer()
        if signer is None:
            return
        account = world.account(signer)
        world.warm_address(account)
        code = world.code_of(account)
        if code and delegate_address(code) is None:
            return
        if account.nonce != authorization.nonce:
            return
        if account.exists:
            world.add_refund(NEW_ACCOUNT_REFUND)
        if any(authorization.address):
            world.set_code(account, DELEGATION_PREFIX + authorization.address)
        elif account.code_hash != EMPTY_CODE_HASH:
            world.set_code(account, b"")
        world.set_nonce(account, account.nonce + 1)

    def _gas_used(self, tx: Payable, outcome: Outcome, royalty_gas: int) -> int:
        """Return what is paid for: the refund capped first, the floor last (EIP-7623).

        Royalties are owed to others, so that no refund comes out of them.
        """
        spent = tx.gas - outcome.gas_left
        refund = min(self._world.refund, (spent - royalty_gas) // MAX_REFUND_QUOTIENT)
        used = spent - refund
        if self._world.fork.is_prague:
            used = max(used, floor_data_gas(tx.data, self._world.fork))
        return used


def effective_gas_price(tx: Payable, base_fee: int) -> int:
    """Return the wei per gas that the sender pays (EIP-1559)."""
    return base_fee + min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - base_fee)
