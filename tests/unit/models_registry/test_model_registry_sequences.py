"""Random sequences of calls by several owners, beside a model of the registry in Python."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from models_registry.addresses import MODEL_REGISTRY
from models_registry.genesis import RegistryParameters
from models_registry.registry import (
    ACTIVE_BYTES_SLOT,
    COMMITTED_AT_SLOT,
    PENDING_BYTES_SLOT,
    PENDING_OF_SLOT,
    RegistryStatus,
    mapping_slot,
    read_active_record,
    read_entry,
    read_model_ids,
    read_owner,
    read_refund,
    read_status,
)
from models_registry.registry_calls import (
    commitment,
    decode_error,
    encode_expire,
    encode_retire,
    encode_set_royalty,
    encode_transfer,
    encode_withdraw,
)
from tests.unit.models_registry.contract_host import Reverted
from tests.unit.models_registry.registry_chain import (
    FOREIGN_KEY,
    SALT,
    VALIDATOR_KEYS,
    RegistryChain,
    held,
    signatures,
)

NONE, PENDING, ACTIVE, EXPIRED, RETIRED = RegistryStatus
PARAMETERS = RegistryParameters(
    activation_delay=3,
    deadline=6,
    retirement_delay=2,
    royalty_delay=2,
    deposit_per_byte=7,
    fee_per_byte=3,
)
OWNERS = tuple(bytes([0xA0 + index]) * 20 for index in range(2))
MODELS = tuple(bytes([0xB0 + index]) * 32 for index in range(6))
MOST_ROYALTY = 2_489
MOST_PENDING_PER_OWNER = 4
WEALTH = 10**9

owners, models, picks = st.sampled_from(OWNERS), st.sampled_from(MODELS), st.integers(0, 59)
strays = st.sampled_from([False, False, False, False, True])
"""Whether a call goes astray: most should have a chance to go through."""


@dataclass
class Expected:
    """What an entry should be; heights are None until they are known."""

    owner: bytes | None = None
    size: int = 0
    registered_at: int = 0
    is_expired: bool = False
    nonce: int = 0
    activation: int | None = None
    retirement: int | None = None
    deposit: int = 0
    royalties: tuple[tuple[int, int], ...] = ()
    """(height, gas): each in force from its height on."""

    def status(self, height: int) -> RegistryStatus:
        if self.nonce == 0:
            return NONE
        if self.is_expired:
            return EXPIRED
        if self.retirement is not None and height >= self.retirement:
            return RETIRED
        return ACTIVE if self.activation is not None and height >= self.activation else PENDING

    def royalty(self, height: int) -> int:
        return [gas for since, gas in self.royalties if since <= height][-1]


def any_in(*statuses: RegistryStatus) -> Callable[[Any], bool]:
    """Return whether a machine has a model of these statuses: without one a call says little."""
    return lambda machine: any(machine.status(model_id) in statuses for model_id in MODELS)


class RegistrySequences(RuleBasedStateMachine):
    """Does each call on both sides; a call goes through on both, or fails for the same reason."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = RegistryChain(parameters=PARAMETERS)
        self.models = {model_id: Expected() for model_id in MODELS}
        self.committed: dict[tuple[bytes, bytes], int] = {}
        self.refunds: Counter[bytes] = Counter()
        self.burned = 0
        self.forced_in = 0
        self.order: list[bytes] = []
        for owner in OWNERS:
            self.chain.fund(owner, WEALTH)

    def attempt(self, call: Callable[[], Any], error: str | None) -> bool:
        """Send a message that should fail with an error of this name, or go through."""
        try:
            call()
        except Reverted as reverted:
            found = decode_error(reverted.data)
            assert found is not None
            assert found.split("(")[0] == error
            return False
        assert error is None
        return True

    def status(self, model_id: bytes) -> RegistryStatus:
        return self.models[model_id].status(self.chain.height)

    def choose(self, pick: int, stray: bool, *statuses: RegistryStatus) -> bytes:
        """Return a model, of these statuses if there is one and the call should go through."""
        fitting = [model_id for model_id in MODELS if self.status(model_id) in statuses]
        pool = MODELS if stray or not fitting else fitting
        return pool[pick % len(pool)]

    def sender(self, pick: int, stray: bool, model_id: bytes) -> bytes:
        """Return who sends a call: the model's owner, or any."""
        owner = self.models[model_id].owner
        return OWNERS[pick % len(OWNERS)] if stray or owner is None else owner

    def pending(self) -> list[Expected]:
        """Return what takes room of PENDING models: registered, and not activated or expired."""
        return [
            entry
            for entry in self.models.values()
            if entry.nonce and not entry.is_expired and entry.activation is None
        ]

    @rule(blocks=st.integers(1, 4))
    def blocks_pass(self, blocks: int) -> None:
        self.chain.height += blocks

    @precondition(lambda self: len(self.committed) < 4)
    @rule(owner=owners, model_id=models)
    def commit(self, owner: bytes, model_id: bytes) -> None:
        height = self.committed.get((model_id, owner))
        error = None if height is None else "AlreadyCommitted"
        if self.attempt(lambda: self.chain.commit(model_id, owner, owner), error):
            self.committed[model_id, owner] = self.chain.height

    @precondition(lambda self: bool(self.committed))
    @rule(
        owner=owners,
        model_id=models,
        size=st.integers(1, 2_000),
        royalty=st.integers(0, MOST_ROYALTY),
        tip=st.sampled_from([0, 0, 0, 0, -1, 1]),
    )
    def register(self, owner: bytes, model_id: bytes, size: int, royalty: int, tip: int) -> None:
        payment = 10 * size + tip
        error = "WrongPayment" if tip else self._registration_error(owner, model_id)
        if not self.attempt(
            lambda: self.chain.register(model_id, owner, size, royalty, "", payment), error
        ):
            return
        del self.committed[model_id, owner]
        entry = self.models[model_id]
        if entry.nonce == 0:
            self.order.append(model_id)
        height = self.chain.height
        self.models[model_id] = Expected(
            owner, size, height, nonce=entry.nonce + 1, deposit=7 * size, royalties=((0, royalty),)
        )
        self.burned += 3 * size

    def _registration_error(self, owner: bytes, model_id: bytes) -> str | None:
        height = self.committed.get((model_id, owner))
        if height is None:
            return "NoCommitment"
        if self.chain.height < height + 2:
            return "CommitmentTooFresh"
        if self.status(model_id) in (PENDING, ACTIVE):
            return "AlreadyRegistered"
        if [entry.owner for entry in self.pending()].count(owner) == MOST_PENDING_PER_OWNER:
            return "TooManyPendingModels"
        return None

    @rule(pick=picks, stray=strays, owner=owners, size=st.integers(1, 2_000))
    def commit_and_register(self, pick: int, stray: bool, owner: bytes, size: int) -> None:
        """Get further than single steps do by chance."""
        model_id = self.choose(pick, stray, NONE, EXPIRED, RETIRED)
        if (model_id, owner) not in self.committed:
            self.chain.commit(model_id, owner, owner)
            self.committed[model_id, owner] = self.chain.height
        self.chain.height += 2
        self.register(owner=owner, model_id=model_id, size=size, royalty=5, tip=0)

    @precondition(any_in(PENDING))
    @rule(
        pick=picks,
        stray=strays,
        signers=st.sampled_from([(0, 1, 2, 3), (0, 1, 2), (1, 2, 3), (1, 3)]),
        foreigners=strays,
        is_old=strays,
    )
    def activate(
        self, pick: int, stray: bool, signers: tuple[int, ...], foreigners: bool, is_old: bool
    ) -> None:
        model_id = self.choose(pick, stray, PENDING)
        entry = self.models[model_id]
        keys = [VALIDATOR_KEYS[index] for index in signers]
        signed = signatures(
            *keys,
            *([FOREIGN_KEY] if foreigners else []),
            nonce=entry.nonce - 1 if is_old and entry.nonce else entry.nonce,
            model_id=model_id,
        )
        try:
            self.chain.activate(signed, model_id=model_id)
        except Reverted as reverted:
            name = (decode_error(reverted.data) or "").split("(")[0]
            assert name in self._activation_errors(entry, len(signed), foreigners, is_old)
            return
        assert not self._activation_errors(entry, len(signed), foreigners, is_old)
        assert 3 * len(signers) > 2 * len(VALIDATOR_KEYS)
        entry.activation = self.chain.height + PARAMETERS.activation_delay

    def _activation_errors(
        self, entry: Expected, signed: int, foreigners: bool, is_old: bool
    ) -> set[str]:
        """Return the errors that an activation may fail with; none where it goes through."""
        if entry.nonce == 0 or entry.is_expired:
            return {"NotPending"}
        if entry.activation is not None:
            return {"AlreadyActivated"}
        if self.chain.height > entry.registered_at + PARAMETERS.deadline:
            return {"DeadlinePassed"}
        if 3 * signed <= 2 * len(VALIDATOR_KEYS):
            return {"TooFewSignatures"}
        return {"NotValidator"} if foreigners or is_old else set()

    @precondition(any_in(PENDING))
    @rule(pick=picks, stray=strays, sender=owners, blocks=st.sampled_from([0, 7]))
    def expire(self, pick: int, stray: bool, sender: bytes, blocks: int) -> None:
        model_id = self.choose(pick, stray, PENDING)
        self.chain.height += blocks
        entry = self.models[model_id]
        error = None
        if entry.nonce == 0 or entry.is_expired:
            error = "NotPending"
        elif entry.activation is not None:
            error = "AlreadyActivated"
        elif self.chain.height <= entry.registered_at + PARAMETERS.deadline:
            error = "DeadlineNotPassed"
        if self.attempt(lambda: self.chain.call(sender, encode_expire(model_id)), error):
            self._refund(entry)
            entry.is_expired, entry.owner = True, None

    @precondition(any_in(ACTIVE))
    @rule(pick=picks, stray=strays)
    def retire(self, pick: int, stray: bool) -> None:
        model_id = self.choose(pick, stray, ACTIVE)
        sender = self.sender(pick, stray, model_id)
        entry = self.models[model_id]
        error = None
        if entry.owner is None:
            error = "ERC721NonexistentToken"
        elif entry.owner != sender:
            error = "ERC721InsufficientApproval"
        elif self.status(model_id) is not ACTIVE:
            error = "NotActive"
        elif entry.retirement is not None:
            error = "AlreadyRetiring"
        if self.attempt(lambda: self.chain.call(sender, encode_retire(model_id)), error):
            self._refund(entry)
            entry.retirement = self.chain.height + PARAMETERS.retirement_delay

    @precondition(any_in(PENDING, ACTIVE, RETIRED))
    @rule(pick=picks, stray=strays, to=owners)
    def transfer(self, pick: int, stray: bool, to: bytes) -> None:
        model_id = self.choose(pick, stray, ACTIVE, RETIRED)
        sender = self.sender(pick, stray, model_id)
        entry = self.models[model_id]
        error = None
        if entry.owner is None:
            error = "ERC721NonexistentToken"
        elif entry.owner != sender:
            error = "ERC721InsufficientApproval"
        elif self.status(model_id) is PENDING:
            error = "NotTransferable"
        move = encode_transfer(sender, to, model_id)
        if self.attempt(lambda: self.chain.call(sender, move), error):
            entry.owner = to

    @precondition(any_in(ACTIVE))
    @rule(pick=picks, stray=strays, royalty=st.integers(0, MOST_ROYALTY + 500))
    def set_royalty(self, pick: int, stray: bool, royalty: int) -> None:
        model_id = self.choose(pick, stray, ACTIVE)
        sender = self.sender(pick, stray, model_id)
        entry, height = self.models[model_id], self.chain.height
        error = None
        if entry.owner is None:
            error = "ERC721NonexistentToken"
        elif entry.owner != sender:
            error = "NotOwner"
        elif self.status(model_id) is not ACTIVE:
            error = "NotActive"
        elif royalty > MOST_ROYALTY:
            error = "RoyaltyTooHigh"
        if self.attempt(
            lambda: self.chain.call(sender, encode_set_royalty(model_id, royalty)), error
        ):
            kept = tuple(pair for pair in entry.royalties if pair[0] <= height)
            entry.royalties = (*kept, (height + PARAMETERS.royalty_delay, royalty))

    @precondition(lambda self: self.refunds.total() > 0)
    @rule(sender=owners, to=owners)
    def withdraw(self, sender: bytes, to: bytes) -> None:
        due = self.refunds[sender]
        before = self.chain.balance(to)
        error = None if due else "NothingToWithdraw"
        if self.attempt(lambda: self.chain.call(sender, encode_withdraw(to)), error):
            assert self.chain.balance(to) == before + due
            self.refunds[sender] = 0

    @rule(wei=st.integers(1, 10))
    def force_wei_in(self, wei: int) -> None:
        self.chain.fund(MODEL_REGISTRY, wei)
        self.forced_in += wei

    def _refund(self, entry: Expected) -> None:
        assert entry.owner is not None
        self.refunds[entry.owner] += entry.deposit
        entry.deposit = 0

    @invariant()
    def the_balance_is_what_the_registry_owes(self) -> None:
        owed = held(self.chain, OWNERS)
        assert self.chain.balance(MODEL_REGISTRY) == owed + self.forced_in
        deposits = sum(entry.deposit for entry in self.models.values())
        assert owed == deposits + self.refunds.total()
        for owner in OWNERS:
            assert read_refund(self.chain.storage, owner) == self.refunds[owner]

    @invariant()
    def no_wei_is_made_or_lost(self) -> None:
        assert self.chain.balance(bytes(20)) == self.burned
        held_by_owners = sum(self.chain.balance(owner) for owner in OWNERS)
        in_registry = self.chain.balance(MODEL_REGISTRY) - self.forced_in
        assert held_by_owners + in_registry + self.burned == len(OWNERS) * WEALTH

    @invariant()
    def counts_are_those_of_the_models(self) -> None:
        pending = self.pending()
        storage = self.chain.storage
        assert storage(MODEL_REGISTRY, PENDING_BYTES_SLOT) == sum(entry.size for entry in pending)
        for owner in OWNERS:
            slot = mapping_slot(PENDING_OF_SLOT, owner.rjust(32, b"\0"))
            count = [entry.owner for entry in pending].count(owner)
            assert storage(MODEL_REGISTRY, slot) == count <= MOST_PENDING_PER_OWNER
        active = sum(
            entry.size
            for entry in self.models.values()
            if entry.activation is not None and entry.retirement is None
        )
        assert storage(MODEL_REGISTRY, ACTIVE_BYTES_SLOT) == active

    @invariant()
    def a_model_is_in_one_state_at_each_height(self) -> None:
        storage, now = self.chain.storage, self.chain.height
        for model_id, entry in self.models.items():
            view = self.chain.view(MODEL_REGISTRY, "status(bytes32)", [model_id], ["uint8"])
            assert view == entry.status(now)
            assert read_owner(storage, model_id) == (entry.owner or bytes(20))
            has_token = entry.status(now) in (PENDING, ACTIVE, RETIRED)
            assert has_token == (entry.owner is not None)
            for height in range(now, now + 4):
                assert read_status(storage, model_id, height) is entry.status(height)
                active = read_active_record(storage, model_id, height)
                assert (active is not None) == (entry.status(height) is ACTIVE)
                if active is not None:
                    assert active.royalty_gas == entry.royalty(height)

    @invariant()
    def entries_hold_what_was_registered(self) -> None:
        storage, now = self.chain.storage, self.chain.height
        assert read_model_ids(storage) == tuple(self.order)
        for model_id, entry in self.models.items():
            found = read_entry(storage, model_id, now)
            assert (found is None) == (entry.nonce == 0)
            if found is not None:
                assert (found.size_bytes, found.nonce) == (entry.size, entry.nonce)
                assert (found.deposit, found.registered_at) == (entry.deposit, entry.registered_at)
                assert (found.activation_height or None) == entry.activation
                assert (found.retirement_height or None) == entry.retirement

    @invariant()
    def commitments_are_those_not_opened(self) -> None:
        for owner in OWNERS:
            for model_id in MODELS:
                slot = mapping_slot(COMMITTED_AT_SLOT, commitment(model_id, owner, SALT))
                height = self.committed.get((model_id, owner), 0)
                assert self.chain.storage(MODEL_REGISTRY, slot) == height


TestRegistrySequences = RegistrySequences.TestCase
TestRegistrySequences.settings = settings(
    derandomize=True, max_examples=30, stateful_step_count=50, deadline=None
)
