"""What a message of QBFT binds its signer to, as the checker of safety reads it."""

from consensus.qbft.events import OwnMessage, Record
from consensus.qbft.messages import Commit, Message, Prepare, Proposal, RoundChange
from tests.simulation.fake_blocks import decode_fake_block
from tests.simulation.safety import COMMIT, Vote


def vote_of(message: Message) -> Vote:
    """Return the vote; a round change's digest names the claimed round too."""
    payload = message.payload
    height, round_number = payload.height, payload.round
    match message:
        case Commit():
            return Vote(COMMIT, height, round_number, message.payload.digest)
        case Prepare():
            return Vote("prepare", height, round_number, message.payload.digest)
        case Proposal():
            digest = decode_fake_block(message.payload.block).hash
            return Vote("proposal", height, round_number, digest)
        case RoundChange():
            claim = message.payload.prepared
            digest = b"" if claim is None else claim.round.to_bytes(4, "big") + claim.digest
            return Vote("round change", height, round_number, digest)


def vote_of_record(record: Record) -> Vote | None:
    """Return the vote that a record holds, None where it holds none."""
    return vote_of(record.message) if isinstance(record, OwnMessage) else None
