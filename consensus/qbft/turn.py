"""One step while it is taken: the state so far, and the actions so far."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from consensus.certificate import CommitCertificate
from consensus.qbft.events import Action, OwnMessage, Persist, Send, SetTimer, Timer, TimerKind
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import Message, Payload
from consensus.qbft.rules import Rules
from consensus.qbft.signing import Signer, signer_of
from consensus.qbft.state import KnownBlock, State

BLOCKS_KEPT = 8
"""Blocks that may still be decided: those accepted or proven prepared last."""

VERDICTS_KEPT = 16
Key = TypeVar("Key")
Value = TypeVar("Value")


class Turn:
    """What one event leads to. Lives for one step; `state` and `actions` are its result."""

    __slots__ = ("actions", "now_ms", "rules", "sender", "state")

    def __init__(self, rules: Rules, state: State, now_ms: int, sender: bytes = b"") -> None:
        self.rules = rules
        self.state = state
        self.now_ms = now_ms
        self.sender = sender
        self.actions: list[Action] = []

    def act(self, action: Action) -> None:
        """Add an action."""
        self.actions.append(action)

    @property
    def signer(self) -> Signer | None:
        """Return the key of this node where it is a validator of this height."""
        signer = self.rules.signer
        if signer is not None and signer.address in self.state.context.validators:
            return signer
        return None

    def is_proposer(self) -> bool:
        """Tell whether this node proposes in this round."""
        signer = self.signer
        return signer is not None and signer.address == self.state.proposer(self.state.round)

    def sign(self, signer: Signer, payload: Payload) -> bytes:
        """Return the signature of a payload."""
        return signer.sign(self.rules.domain.digest(payload.CODE, payload.encode()))

    def validator_who_signed(self, payload: Payload, signature: bytes) -> bytes:
        """Return which validator signed; raises `BadMessage`."""
        signer = signer_of(self.rules.recover, self.rules.domain, payload, signature)
        if signer not in self.state.context.validators:
            raise BadMessage(f"0x{signer.hex()} is no validator of height {payload.height}")
        return signer

    def cast(self, message: Message, parent_certificate: CommitCertificate | None) -> None:
        """Persist and send what this validator signed in this round: once for each code."""
        code = message.payload.CODE
        if code in self.state.own or message.payload.round != self.state.round:
            raise ValueError(f"a second message {code:#x} in round {self.state.round}")
        own = OwnMessage(message, parent_certificate)
        self.state = replace(self.state, own={**self.state.own, code: own})
        self.act(Persist(own))
        self.act(Send(message, parent_certificate))

    def set_timer(self, kind: TimerKind, at_ms: int) -> None:
        """Ask for a timer of this round."""
        self.act(SetTimer(Timer(kind, self.state.height, self.state.round), at_ms))

    def remember_block(self, known: KnownBlock) -> None:
        """Keep a block that may be decided, in place of the oldest."""
        blocks = with_latest(self.state.blocks, known.digest, known, BLOCKS_KEPT)
        self.state = replace(self.state, blocks=blocks)

    def remember_verdict(self, digest: bytes, valid: bool | None) -> None:
        """Keep what was found of a block; None while it is being checked."""
        verdicts = with_latest(self.state.verdicts, digest, valid, VERDICTS_KEPT)
        self.state = replace(self.state, verdicts=verdicts)


def with_latest(kept: Mapping[Key, Value], key: Key, value: Value, most: int) -> dict[Key, Value]:
    """Return a mapping with one entry set, and no more than `most`: the oldest one goes."""
    others = [entry for entry in kept.items() if entry[0] != key]
    return dict([*others, (key, value)][-most:])
