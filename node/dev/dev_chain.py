"""The chain of `cvm dev`: a `Chain` whose next block, and the state before it, a caller may set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.certificate import certify, seal
from consensus.genesis import genesis_block
from consensus.header_rules import derive_fields
from cvm.evm.execution import BlockExecution
from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account, StateChanges
from cvm.evm.transaction import Transaction
from node.chain import Chain
from node.dev.dev_database import Alteration, DevDatabase
from node.dev.impersonation import DevExecution, sender_without_key
from node.inference_host import NodeInferenceHost

NO_ACCOUNT = Account()


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What a caller sets of an account; None leaves a part as it is.

    With `is_fresh` it has nothing but what is set.
    """

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] = field(default_factory=dict)
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class NextBlock:
    """What a caller sets of the next block, in seconds and wei per gas; None follows the rules."""

    timestamp: int | None = None
    base_fee: int | None = None


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """A block, and how many changes by hand there had been."""

    number: int
    alterations: int


class DevChain(Chain):
    """See `Chain`; its one validator's key makes blocks final."""

    make_execution: ClassVar[type[BlockExecution]] = DevExecution

    def __init__(self, database: DevDatabase, host: NodeInferenceHost) -> None:
        super().__init__(database, host)
        self._by_hand = database
        self._alterations: list[Alteration] = []

    def build_next(
        self, proposal: Proposal, wanted: NextBlock, candidates: Iterable[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block as a caller wants it; nothing is written."""
        parent = self._parent(None)
        derived = derive_fields(parent.header, parent.certificate_hash, self.parameters)
        if wanted.base_fee is not None:
            derived = replace(derived, base_fee=wanted.base_fee)
        return self._runner.build_from(derived, parent, proposal, candidates)

    def make_final(self, checked: CheckedBlock, key: PrivateKey) -> None:
        """Seal a block that was built here, and append it."""
        block = checked.block
        by_hand = any(sender_without_key(tx) is not None for tx in block.transactions)
        rules = derive_fields(self.head, bytes(32), self.parameters)
        if by_hand or block.header.base_fee_per_gas != rules.base_fee:
            self._by_hand.mark_changed()
        sealed = seal(self.domain, key, block.number, 0, block.hash)
        self.append(checked, certify(block.number, 0, block.hash, [(0, sealed)]))

    def alter(self, wanted: Mapping[bytes, AccountChange]) -> None:
        """Change accounts in the state after the head, durably."""
        cleared = frozenset(address for address, change in wanted.items() if change.is_fresh)
        changes = StateChanges({}, {}, cleared, {})
        with self.state_at(self.head) as state:
            for address, change in wanted.items():
                add_change(changes, address, state.account(address) or NO_ACCOUNT, change)
        root = self.head.state_root
        update = self._states.commit(root, changes)
        self._alterations.append(self._by_hand.alter(root, update))

    def begin_here(self) -> None:
        """Note durably that callers find the chain as it is now."""
        self._by_hand.begin_here()

    def point(self) -> ChainPoint:
        """Return where the chain stands."""
        return ChainPoint(self.head.block_number, len(self._alterations))

    def go_back(self, point: ChainPoint) -> None:
        """Make the chain and its state what they were at a point before, durably."""
        later = self._alterations[point.alterations :]
        self._by_hand.go_back(point.number, [each for each in later if each.number == point.number])
        del self._alterations[point.alterations :]
        self._look_again()

    def restart(self) -> None:
        """Begin again with the block that a caller found first, durably."""
        first = self._by_hand.first_block()
        if first:
            self.go_back(ChainPoint(first, 0))
            return
        header, update = genesis_block(self.genesis, StateCommitter(self._by_hand.state))
        self._by_hand.restart(header, update)
        self._alterations.clear()
        self._look_again()

    def _look_again(self) -> None:
        """Take the head, and who votes, from the database."""
        self._head = self._stored_head()
        self._validators.clear()


def add_change(
    changes: StateChanges, address: bytes, before: Account, change: AccountChange
) -> None:
    """Add to changes of a state what a caller wants of an account."""
    account = changed(NO_ACCOUNT if change.is_fresh else before, change)
    if change.code:
        changes.codes[account.code_hash] = change.code
    if change.storage:
        changes.storage[address] = dict(change.storage)
    is_gone = account == NO_ACCOUNT and not change.storage
    changes.accounts[address] = None if is_gone else account


def changed(account: Account, change: AccountChange) -> Account:
    """Return an account as a caller wants it."""
    if change.balance is not None:
        account = replace(account, balance=change.balance)
    if change.nonce is not None:
        account = replace(account, nonce=change.nonce)
    if change.code is not None:
        code_hash = keccak256(change.code) if change.code else EMPTY_CODE_HASH
        account = replace(account, code_hash=code_hash)
    return account
