"""A small world for consensus: cheap keys, tiny blocks, and validators whose messages a test moves.

Signatures are hashes, so that thousands of steps cost little; what they bind is the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from consensus.certificate import CommitCertificate, SealDomain, certify
from consensus.qbft.events import (
    Action,
    BlockBuilt,
    BlockChecked,
    Event,
    HeightContext,
    Persist,
    ProposedHeader,
    Received,
    Record,
    Refused,
    Send,
    Started,
    Timer,
    TimerFired,
    TimerKind,
)
from consensus.qbft.messages import (
    Commit,
    CommitPayload,
    Message,
    Payload,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from consensus.qbft.rules import Rules
from consensus.qbft.signing import SigningDomain
from consensus.qbft.state import State
from consensus.qbft.step import step
from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import fixed_bytes, integer, list_start, split_items
from cvm.evm.strict_rlp import BadRlp

DOMAIN = SigningDomain(chain_id=7, genesis_hash=b"\x9e" * 32)
SEALS = SealDomain(chain_id=7, genesis_hash=b"\x9e" * 32)
HEIGHT = 42
DUE_MS = 1_000_000
PARENT_CERTIFICATE = certify(HEIGHT - 1, 0, b"\x41" * 32, [(0, b"\x5e" * 65)])


@dataclass(frozen=True, slots=True)
class HashSigner:
    """Signs with a hash of its address: worth nothing but in a test."""

    address: bytes

    def sign(self, digest: bytes) -> bytes:
        proof = keccak256(self.address + digest)
        return self.address + proof + proof[:13]


def recover_hash(digest: bytes, signature: bytes) -> bytes | None:
    address = signature[:20]
    return address if HashSigner(address).sign(digest) == signature else None


SIGNERS = [HashSigner(bytes([0xA0 + index]) * 20) for index in range(8)]


def addresses(count: int) -> tuple[bytes, ...]:
    return tuple(signer.address for signer in SIGNERS[:count])


# Blocks


def tiny_block(
    coinbase: bytes,
    salt: int = 0,
    *,
    number: int = HEIGHT,
    timestamp_s: int = DUE_MS // 1000,
    parent: CommitCertificate | None = PARENT_CERTIFICATE,
) -> bytes:
    """Return a block that is all header."""
    named = bytes(32) if parent is None else parent.hash
    fields = (
        encode_integer(number),
        encode_integer(timestamp_s),
        encode_bytes(coinbase),
        encode_bytes(named),
        encode_integer(salt),
    )
    return encode_list(encode_list(b"".join(fields)))


def read_tiny_header(block: bytes) -> ProposedHeader | None:
    try:
        headers, lists = split_items(block, list_start(block, 0, "a block"), len(block))
        if lists != [0] or len(headers) != 1:
            return None
        fields, _lists = split_items(headers[0], 0, len(headers[0]))
        if len(fields) != 5:
            return None
        return ProposedHeader(
            integer("number", fields[0], 8),
            keccak256(encode_list(headers[0])),
            integer("timestamp", fields[1], 8),
            fixed_bytes("coinbase", fields[2], 20),
            fixed_bytes("certificate", fields[3], 32),
        )
    except BadRlp:
        return None


def hash_of(block: bytes) -> bytes:
    header = read_tiny_header(block)
    assert header is not None
    return header.hash


# Messages


def signature_of(signer: HashSigner, payload: Payload) -> bytes:
    return signer.sign(DOMAIN.digest(payload.CODE, payload.encode()))


def prepare_by(index: int, digest: bytes, round_number: int = 0, height: int = HEIGHT) -> Prepare:
    payload = PreparePayload(height, round_number, digest)
    return Prepare(payload, signature_of(SIGNERS[index], payload))


def commit_by(index: int, digest: bytes, round_number: int = 0, height: int = HEIGHT) -> Commit:
    signer = SIGNERS[index]
    seal = signer.sign(SEALS.digest(height, round_number, digest))
    payload = CommitPayload(height, round_number, digest, seal)
    return Commit(payload, signature_of(signer, payload))


def proposal_by(
    index: int,
    block: bytes,
    round_number: int = 0,
    round_changes: Iterable[SignedRoundChange] = (),
    prepares: Iterable[Prepare] = (),
    height: int = HEIGHT,
) -> Proposal:
    payload = ProposalPayload(height, round_number, block)
    signature = signature_of(SIGNERS[index], payload)
    return Proposal(payload, signature, tuple(round_changes), tuple(prepares))


def round_change_by(
    index: int,
    round_number: int,
    block: bytes | None = None,
    prepares: Iterable[Prepare] = (),
    prepared_round: int = 0,
    height: int = HEIGHT,
) -> RoundChange:
    claim = None if block is None else PreparedClaim(prepared_round, hash_of(block))
    payload = RoundChangePayload(height, round_number, claim)
    signed = SignedRoundChange(payload, signature_of(SIGNERS[index], payload))
    return RoundChange(signed, block, tuple(prepares))


# What the validators of a height vote on

BLOCK = tiny_block(SIGNERS[0].address)
OTHER = tiny_block(SIGNERS[0].address, salt=1)
"""The twin of BLOCK, by the same proposer."""

SECOND = tiny_block(SIGNERS[1].address, salt=2)
"""What the proposer of round 1 makes."""

DIGEST = hash_of(BLOCK)
PREPARES = tuple(prepare_by(index, DIGEST) for index in (0, 1, 2))
"""A quorum of four for BLOCK."""


# A validator


def rules_of(index: int | None) -> Rules:
    """Return the rules of a validator, or of a node that only follows."""
    signer = None if index is None else SIGNERS[index]
    return Rules(signer, DOMAIN, SEALS, read_tiny_header, recover_hash)


def context_of(count: int, last: int = -1, height: int = HEIGHT) -> HeightContext:
    """Return a height of `count` validators, of whom the one after `last` is first to propose."""
    last_proposer = b"\0" * 20 if last < 0 else SIGNERS[last].address
    return HeightContext(height, addresses(count), last_proposer, DUE_MS)


Found = TypeVar("Found", bound=Action)


@dataclass
class Node:
    """One validator, its state, its clock and every action so far."""

    rules: Rules
    current: State | None = None
    now_ms: int = DUE_MS
    actions: list[Action] = field(default_factory=list)

    @property
    def state(self) -> State:
        assert self.current is not None
        return self.current

    def handle(self, event: Event) -> list[Action]:
        self.current, actions = step(self.rules, self.current, event)
        self.actions += actions
        return list(actions)

    def start(self, context: HeightContext, records: Iterable[Record] = ()) -> list[Action]:
        return self.handle(Started(self.now_ms, context, tuple(records)))

    def receive(
        self, message: Message, parent: CommitCertificate | None = PARENT_CERTIFICATE
    ) -> list[Action]:
        return self.handle(Received(self.now_ms, message, parent, b"peer"))

    def receive_all(self, messages: Iterable[Message]) -> list[Action]:
        return [action for message in messages for action in self.receive(message)]

    def fire(self, kind: TimerKind, round_number: int, height: int = HEIGHT) -> list[Action]:
        return self.handle(TimerFired(self.now_ms, Timer(kind, height, round_number)))

    def check(self, block: bytes, valid: bool | None = True) -> list[Action]:
        return self.handle(BlockChecked(self.now_ms, HEIGHT, hash_of(block), valid))

    def build(self, block: bytes, round_number: int = 0) -> list[Action]:
        return self.handle(BlockBuilt(self.now_ms, HEIGHT, round_number, block, PARENT_CERTIFICATE))

    def records(self) -> list[Record]:
        return [action.record for action in found(Persist, self.actions)]


def validator(index: int, count: int = 4, records: Iterable[Record] = ()) -> Node:
    """Return a validator that has begun the height."""
    node = Node(rules_of(index))
    node.start(context_of(count), records)
    return node


def found(kind: type[Found], actions: Iterable[Action]) -> list[Found]:
    return [action for action in actions if isinstance(action, kind)]


def sent(actions: Iterable[Action]) -> list[Message]:
    return [action.message for action in found(Send, actions)]


def refusal(actions: Iterable[Action]) -> tuple[str, bool]:
    """Return the reason of the one refusal among these, and whether it is a fault."""
    (refused,) = found(Refused, actions)
    return refused.reason, refused.is_fault
