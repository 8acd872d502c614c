"""Brings a model from a file to ACTIVE, from wherever an earlier run stopped.

Nothing is kept between runs: every step is found again from the chain and the node. The salt of
the commitment follows from the key and the model, so a later run opens the same commitment, and
nobody without the key can guess what it hides.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from eth_keys.datatypes import PrivateKey

from models_registry.attestation import (
    BadAttestation,
    attestation_digest,
    order_signatures,
    recover_attester,
)
from models_registry.chunks import chunk_proofs, model_id, split_chunks
from models_registry.cli.chain_client import ChainClient, NodeStatus, RegistrationPrice
from models_registry.record import BadRecord, ModelRecord
from models_registry.registry_calls import (
    commitment,
    encode_activate,
    encode_commit,
    encode_register,
)

COMMIT_BLOCKS = 2
SALT_DOMAIN = b"cvm model register: salt of the commitment"


class RegistrationFault(Exception):
    """The model cannot be brought to ACTIVE."""


class ModelRefusedByValidators(RegistrationFault):
    """A validator checked the file and will not attest it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the validator refuses the model: {reason}")
        self.reason = reason


class StageTimeout(RegistrationFault):
    """Nothing changed for too long."""

    def __init__(self, stage: str, timeout_s: float) -> None:
        super().__init__(
            f"waited {timeout_s:.0f} s for {stage}; the same command goes on from here, "
            "--timeout makes it wait longer"
        )
        self.stage = stage


class NotEnoughEther(RegistrationFault):
    """The account cannot pay for the registration."""

    def __init__(self, balance: int, needed: int) -> None:
        super().__init__(
            f"the account has {ether_text(balance)}, the registration costs {ether_text(needed)} "
            "and gas"
        )
        self.balance = balance
        self.needed = needed


class Progress(Protocol):
    """Shows a person how far the registration is."""

    def note(self, text: str) -> None:
        """Say that something happened, or what is waited for."""

    def chunks(self, done: int, total: int) -> None:
        """Show how many of the chunks to send have been sent."""


class Clock(Protocol):
    """The time, and a way to let it pass between two questions to the node."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def pause(self) -> None:
        """Let some time pass."""


@dataclass(slots=True)
class Registration:
    """One model on its way to ACTIVE."""

    chain: ChainClient
    key: PrivateKey
    data: bytes
    uri: str
    royalty_gas: int
    progress: Progress
    clock: Clock
    timeout_s: float
    transactions: dict[str, str] = field(default_factory=dict)

    def run(self) -> bytes:
        """Do whatever is still to do and return the model id.

        Raises `RegistrationFault` or `ClientFault`.
        """
        identity = model_id(self.data)
        self._until("its transactions in the pool", self._has_settled)
        self._push_chunks(identity)
        status = self._status(identity)
        if status.status in ("none", "expired", "retired"):
            self._commit_and_register(identity)
        elif status.status == "pending":
            self.progress.note("already registered")
        if not self._status(identity).activation_height:
            self._activate(identity)
        self._wait_until_active(identity)
        return identity

    def _status(self, identity: bytes) -> NodeStatus:
        return self.chain.model_status(identity, len(self.data))

    def _push_chunks(self, identity: bytes) -> None:
        missing = self._status(identity).missing_chunks
        chunks, proofs = split_chunks(self.data), chunk_proofs(self.data)
        if len(missing) < len(chunks):
            self.progress.note(f"the node has {len(chunks) - len(missing)} of {len(chunks)} chunks")
        for done, index in enumerate(missing):
            self.progress.chunks(done, len(missing))
            self.chain.put_chunk(identity, len(self.data), index, chunks[index], proofs[index])
        self.progress.chunks(len(missing), len(missing))

    def _commit_and_register(self, identity: bytes) -> None:
        price = self._price()
        salt = hmac.digest(self.key.to_bytes(), SALT_DOMAIN + identity, "sha256")
        hidden = commitment(identity, self._owner, salt)
        height = self.chain.committed_at(hidden)
        if height == 0:
            self._send("commit", encode_commit(hidden))
            height = self.chain.committed_at(hidden)
        earliest = height + COMMIT_BLOCKS
        self._until(f"block {earliest}", lambda: self.chain.height() >= earliest)
        call = encode_register(identity, len(self.data), self.royalty_gas, self.uri, salt)
        self._send("register", call, price.total)

    def _price(self) -> RegistrationPrice:
        """Say what the registration costs, before anything is sent that would be in vain."""
        price = self.chain.registration_price(len(self.data))
        self.progress.note(
            f"registering costs {ether_text(price.total)} and gas: a deposit of "
            f"{ether_text(price.deposit)}, given back when the model expires or retires, and a fee "
            f"of {ether_text(price.fee)}, burned"
        )
        balance = self.chain.balance(self._owner)
        if balance < price.total:
            raise NotEnoughEther(balance, price.total)
        return price

    def _activate(self, identity: bytes) -> None:
        found: list[tuple[bytes, tuple[bytes, ...]]] = []

        def is_attested() -> bool:
            attested = self._attested_record(identity)
            if attested is not None:
                found.append(attested)
            return attested is not None

        self._until("attestations of more than 2/3 of the validators", is_attested)
        record, signatures = found[-1]
        self._send("activate", encode_activate(identity, record, signatures))

    def _attested_record(self, identity: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
        """Return a record and enough signatures of it, or None while there are too few."""
        status = self._status(identity)
        if status.refusal is not None:
            raise ModelRefusedByValidators(status.refusal)
        if status.record is None:
            return None
        try:
            record_hash = ModelRecord.decode(status.record).hash
        except BadRecord as error:
            raise RegistrationFault(f"the node gave a record that is none: {error}") from error
        nonce = self.chain.registration_nonce(identity)
        digest = attestation_digest(self.chain.chain_id(), identity, nonce, record_hash)
        validators = self.chain.validators()
        signatures = self._signatures_of(validators, digest, status)
        return (status.record, signatures) if 3 * len(signatures) > 2 * len(validators) else None

    def _signatures_of(
        self, validators: tuple[bytes, ...], digest: bytes, status: NodeStatus
    ) -> tuple[bytes, ...]:
        try:
            ordered = order_signatures(digest, status.attestations)
        except BadAttestation as error:
            raise RegistrationFault(
                f"the node gave an attestation that is none: {error}"
            ) from error
        return tuple(s for s in ordered if recover_attester(digest, s) in validators)

    def _wait_until_active(self, identity: bytes) -> None:
        height = self._status(identity).activation_height
        self.progress.note(f"active from block {height}")
        self._until(f"block {height}", lambda: self._status(identity).status == "active")

    def _has_settled(self) -> bool:
        return self.chain.pending_transactions(self._owner) == 0

    def _send(self, name: str, data: bytes, value: int = 0) -> None:
        tx_hash = self.chain.send(self.key, name, data, value)
        self.transactions[name] = tx_hash
        self.progress.note(f"{name} {tx_hash}")
        self._until(f"the {name} transaction", lambda: self.chain.is_mined(name, tx_hash))

    def _until(self, stage: str, is_reached: Callable[[], bool]) -> None:
        """Ask the node again and again, up to the time limit."""
        started = self.clock.now()
        is_announced = False
        while not is_reached():
            if self.clock.now() - started >= self.timeout_s:
                raise StageTimeout(stage, self.timeout_s)
            if not is_announced:
                self.progress.note(f"waiting for {stage}")
                is_announced = True
            self.clock.pause()

    @property
    def _owner(self) -> bytes:
        return self.key.public_key.to_canonical_address()


def ether_text(wei: int) -> str:
    """Return an amount as people read it: `0.00011 ether`, with as many digits as it has."""
    whole, rest = divmod(wei, 10**18)
    digits = f"{rest:018d}".rstrip("0")
    return f"{whole:,}.{digits} ether" if digits else f"{whole:,} ether"
