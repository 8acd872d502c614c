"""Messages of other heights: the next one's are kept, who is behind is told, who is ahead noted."""

from dataclasses import replace

from consensus.certificate import CommitCertificate
from consensus.qbft.events import Ahead, Behind
from consensus.qbft.faults import Superfluous
from consensus.qbft.messages import Message, Proposal, RoundChange
from consensus.qbft.signing import signer_of
from consensus.qbft.state import EarlyMessage
from consensus.qbft.turn import Turn

MAX_EARLY_BLOCK_BYTES = 32 << 20
"""All blocks in early messages; what does not fit comes again when it is sent again."""

LATE_PER_VALIDATOR = 4


def receive_of_other_height(
    turn: Turn, message: Message, parent_certificate: CommitCertificate | None
) -> None:
    """Take a message of a height that is over or has not begun; raises `Superfluous`."""
    height = message.payload.height
    if height < turn.state.height:
        answer_late(turn, message)
        raise Superfluous(f"a message of height {height} at height {turn.state.height}")
    if not turn.state.is_decided or height > turn.state.height + 1:
        turn.act(Behind(height, turn.sender))
    if height > turn.state.height + 1:
        raise Superfluous(f"a message of height {height} at height {turn.state.height}")
    keep_early(turn, message, parent_certificate)


def answer_late(turn: Turn, message: Message) -> None:
    """Ask for the final block to be sent to who seems to lack it.

    A vote for the block before this one may just be late: only when it comes again, or with a
    round change, does its sender lack the block.
    """
    state = turn.state
    is_first = message.signature not in state.late
    has_room = len(state.late) < LATE_PER_VALIDATOR * len(state.context.validators)
    is_last_height = message.payload.height == state.height - 1
    if is_last_height and is_first and has_room and not isinstance(message, RoundChange):
        turn.state = replace(state, late=state.late | {message.signature})
    else:
        turn.act(Ahead(message.payload.height, turn.sender))


def keep_early(turn: Turn, message: Message, parent_certificate: CommitCertificate | None) -> None:
    """Keep a message of the next height: the latest of each signer and code.

    The next set of validators may differ; who joins only then is heard when it sends again.
    """
    early, payload = turn.state.early, message.payload
    if any(kept.message.signature == message.signature for kept in early.values()):
        raise Superfluous("an early message known already")
    signer = signer_of(turn.rules.recover, turn.rules.domain, payload, message.signature)
    if signer not in turn.state.context.validators:
        raise Superfluous("an early message of who is no validator yet")
    key = (signer, payload.CODE)
    if key in early and early[key].message.payload.round >= payload.round:
        raise Superfluous("an earlier early message of its signer")
    others = sum(block_bytes(kept.message) for at, kept in early.items() if at != key)
    if block_bytes(message) and others + block_bytes(message) > MAX_EARLY_BLOCK_BYTES:
        raise Superfluous("no room for an early block")
    kept = EarlyMessage(signer, message, parent_certificate, turn.sender)
    turn.state = replace(turn.state, early={**early, key: kept})


def block_bytes(message: Message) -> int:
    """Return the size of the block in a message."""
    match message:
        case Proposal():
            return len(message.payload.block)
        case RoundChange():
            return len(message.block or b"")
    return 0
