"""Reads the block of a message, and binds bytes and parent certificate to its digest."""

from consensus.certificate import CommitCertificate
from consensus.qbft.faults import BadMessage
from consensus.qbft.state import KnownBlock
from consensus.qbft.turn import Turn

NO_CERTIFICATE_HASH = bytes(32)
"""What the header of height 1 names."""


def read_block(
    turn: Turn, block: bytes, parent_certificate: CommitCertificate | None
) -> KnownBlock:
    """Return a block of this height; raises `BadMessage`.

    One that is known already is not read again, and keeps the certificate that it came with.
    """
    for known in turn.state.blocks.values():
        if known.block == block:
            return known
    header = turn.rules.read_proposed_header(block)
    if header is None:
        raise BadMessage("the block is malformed, or its body is not its header's")
    if header.number != turn.state.height:
        raise BadMessage(f"the block is number {header.number}, not {turn.state.height}")
    named = NO_CERTIFICATE_HASH if parent_certificate is None else parent_certificate.hash
    if named != header.parent_certificate_hash:
        raise BadMessage("the parent's certificate is not the one that the header names")
    return KnownBlock(header, block, parent_certificate)
