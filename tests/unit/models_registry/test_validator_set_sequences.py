"""Random sequences of calls by validators and others, beside a model of the set in Python."""

from collections.abc import Callable
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consensus.validators import changes_per_epoch, earliest_change, list_height
from models_registry.addresses import VALIDATOR_SET
from models_registry.genesis import ValidatorParameters
from models_registry.registry import Seat, read_seats
from tests.unit.models_registry.contract_host import Reverted
from tests.unit.models_registry.validator_chain import ABI, SIGNERS, VALIDATORS, ValidatorChain

BOND, EPOCH, UNBONDING = 101, 5, 12
PARAMETERS = ValidatorParameters(BOND, EPOCH, UNBONDING)
START = 2_000
WINDOW = range(1_000, 1_501)
"""Heights of one window: more than half of it, all before START."""
IN_GENESIS = 5
REPORTERS = (b"\xe1" * 20, b"\xe2" * 20)

accounts = st.integers(0, len(SIGNERS) - 1)


@dataclass
class Member:
    """What an account should have; the last validator that should go is stranded."""

    bond: int
    since: int
    until: int = 0


class ValidatorSequences(RuleBasedStateMachine):
    """Does each call on both sides; a call goes through on both, or fails for the same reason."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = ValidatorChain(IN_GENESIS, PARAMETERS)
        self.chain.height = START
        self.members = {VALIDATORS[index]: Member(BOND, 0) for index in range(IN_GENESIS)}
        self.gone: list[Member] = []
        self.jailed: set[bytes] = set()
        self.stranded: bytes | None = None
        self.last_change = 0
        self.forgotten = 0
        self.burned = 0
        self.fixed = {START // EPOCH: self.chain.read()}
        self.wealth = sum(self.chain.balance(who) for who in VALIDATORS)

    def size(self, epoch: int) -> int:
        """Return how many vote in an epoch, as far as is known now."""
        listed = [*self.members.values(), *self.gone]
        return sum(m.since <= epoch and (not m.until or epoch < m.until) for m in listed)

    def changes(self, epoch: int) -> int:
        """Return how many come and go with an epoch."""
        listed = [*self.members.values(), *self.gone]
        return sum((m.since == epoch) + (m.until == epoch) for m in listed)

    def next_change(self, earliest: int = 0) -> int:
        """Return the first epoch with room that no earlier change came after."""
        epoch = max(earliest_change(self.chain.height, EPOCH), self.last_change, earliest)
        while self.changes(epoch) >= changes_per_epoch(self.size(epoch - 1)):
            epoch += 1
        self.last_change = epoch
        return epoch

    def size_in_the_end(self) -> int:
        return sum(not member.until for member in self.members.values())

    def attempt(self, call: Callable[[], object], error: str | None) -> bool:
        """Send a message that should fail with an error of this name, or go through."""
        try:
            call()
        except Reverted as reverted:
            found = ABI.error_name(reverted.data)
            assert found is not None
            assert found == error
            return False
        assert error is None
        return True

    def expel(self, account: bytes) -> None:
        if self.size_in_the_end() == 1:
            self.stranded = account
        else:
            member = self.members[account]
            member.until = self.next_change(member.since + 1)

    def remove(self, account: bytes) -> None:
        member = self.members.pop(account)
        self.gone.append(member)
        self.forgotten = max(self.forgotten, member.until)

    @rule(blocks=st.integers(1, 8))
    def blocks_pass(self, blocks: int) -> None:
        """Every epoch's list is what the state two blocks before it said, in order too."""
        for _ in range(blocks):
            height = self.chain.height
            epoch = height // EPOCH
            if height == list_height(epoch + 1, EPOCH):  # after all that this block did
                self.fixed[epoch + 1] = self.chain.read((epoch + 1) * EPOCH)
            self.chain.height += 1
            self.the_list_of_this_height_is_the_one_fixed_before()

    @rule(index=accounts, value=st.sampled_from([BOND] * 6 + [BOND - 1]))
    def join(self, index: int, value: int) -> None:
        account = VALIDATORS[index]
        error = None
        if value != BOND:
            error = "WrongBond"
        elif account in self.jailed:
            error = "Jailed"
        elif account in self.members:
            error = "AlreadyListed"
        if self.attempt(lambda: self.chain.call(account, "join", value=value), error):
            self.members[account] = Member(BOND, self.next_change())
            if self.stranded is not None:
                stranded, self.stranded = self.stranded, None
                self.expel(stranded)

    @rule(index=accounts)
    def leave(self, index: int) -> None:
        account = VALIDATORS[index]
        member = self.members.get(account)
        error = None
        if member is None:
            error = "NotListed"
        elif member.until:
            error = "AlreadyLeaving"
        elif self.size_in_the_end() == 1:
            error = "LastValidator"
        if self.attempt(lambda: self.chain.call(account, "leave"), error):
            assert member is not None
            member.until = self.next_change(member.since + 1)

    @rule(index=accounts, patience=st.sampled_from([0, UNBONDING, 3 * UNBONDING]))
    def withdraw(self, index: int, patience: int) -> None:
        account = VALIDATORS[index]
        member = self.members.get(account)
        if member is not None and member.until:
            self.blocks_pass(patience)
        error = None
        if member is None:
            error = "NotListed"
        elif not member.until:
            error = "NotLeaving"
        elif self.chain.height < member.until * EPOCH + UNBONDING:
            error = "StillBonded"
        elif not member.bond:
            error = "NothingBonded"
        if self.attempt(lambda: self.chain.call(account, "withdraw", account), error):
            self.remove(account)

    @rule(index=accounts)
    def vacate(self, index: int) -> None:
        account = VALIDATORS[index]
        member = self.members.get(account)
        error = None
        if member is None:
            error = "NotListed"
        elif not member.until or member.bond:
            error = "NotLeaving"
        elif self.chain.height < member.until * EPOCH:
            error = "StillBonded"
        if self.attempt(lambda: self.chain.call(REPORTERS[0], "vacate", account), error):
            self.remove(account)

    @rule(index=accounts)
    def report(self, index: int) -> None:
        account = VALIDATORS[index]
        member = self.members.get(account)
        error = None if member is not None and member.bond else "NothingBonded"
        if self.attempt(lambda: self.chain.report_two_prepares(SIGNERS[index]), error):
            assert member is not None
            member.bond = 0
            self.burned += BOND - BOND // 2
            self.jailed.add(account)
            if not member.until:
                self.expel(account)

    @precondition(lambda self: self.forgotten <= WINDOW.start // EPOCH)
    @rule(index=st.integers(0, IN_GENESIS))
    def report_absence(self, index: int) -> None:
        account = VALIDATORS[index]
        member = self.members.get(account)
        error = None
        if member is None:
            error = "NotListed"
        elif member.until:
            error = "AlreadyLeaving"
        elif member.since > WINDOW.start // EPOCH:
            error = "NotMemberAt"
        others = [other for other in range(IN_GENESIS) if other != index]
        if self.attempt(lambda: self.chain.report_absence(account, WINDOW, others), error):
            self.expel(account)

    @invariant()
    def the_list_of_this_height_is_the_one_fixed_before(self) -> None:
        height = self.chain.height
        listed = self.chain.listed()
        assert listed == self.chain.read() == self.fixed[height // EPOCH]
        assert len(listed) == len(set(listed)) == self.size(height // EPOCH) >= 1

    @invariant()
    def what_is_to_come_is_read_as_the_contract_tells_it(self) -> None:
        now = self.chain.height // EPOCH
        for epoch in (now + 1, now + 2, now + 5):
            expected = self.chain.listed("validatorsOf", epoch)
            assert self.chain.read(epoch * EPOCH) == expected
            assert self.chain.read(epoch * EPOCH + EPOCH - 1) == expected

    @invariant()
    def no_epoch_changes_by_more_than_its_quota(self) -> None:
        now = self.chain.height // EPOCH
        for epoch in range(now + 1, self.last_change + 2):
            before, after = self.chain.read((epoch - 1) * EPOCH), self.chain.read(epoch * EPOCH)
            assert len(set(before) ^ set(after)) <= changes_per_epoch(len(before))
            kept = [each for each in before if each in after]
            assert kept == [each for each in after if each in before]
            assert after

    @invariant()
    def seats_are_those_of_the_members(self) -> None:
        seats = read_seats(self.chain.storage)
        assert sorted(seats, key=lambda seat: seat.validator) == sorted(
            (Seat(who, m.since, m.until) for who, m in self.members.items()),
            key=lambda seat: seat.validator,
        )
        for account in VALIDATORS:
            listing = self.chain.listing(account)
            member = self.members.get(account)
            assert (listing.seat is None) == (member is None)
            assert listing.bond == (member.bond if member else 0)
            assert listing.is_jailed == (account in self.jailed)

    @invariant()
    def the_pot_holds_every_bond_and_no_wei_is_made_or_lost(self) -> None:
        pot = self.chain.balance(VALIDATOR_SET)
        assert pot == sum(member.bond for member in self.members.values())
        assert self.chain.balance(bytes(20)) == self.burned
        outside = sum(self.chain.balance(who) for who in VALIDATORS)
        rewards = self.chain.balance(b"\x0e" * 20)
        assert outside + rewards + pot + self.burned == self.wealth + IN_GENESIS * BOND


TestValidatorSequences = ValidatorSequences.TestCase
TestValidatorSequences.settings = settings(
    derandomize=True, max_examples=30, stateful_step_count=40, deadline=None
)
