"""Whose fault a refused block is: of whoever brought it, or of this node against a quorum."""

from typing import Protocol

from consensus.block import Block
from consensus.certificate import CommitCertificate, SealDomain, validate_certificate
from consensus.faults import BadCertificate, BodyRootWrong, InvalidBlock, MalformedBlock
from cvm.evm.header import BlockHeader
from cvm.faults import LocalFault

NO_CERTIFICATE = bytes(32)
"""What the header of height 1 names: genesis has no certificate."""
NOT_SEALED = (BadCertificate, BodyRootWrong, MalformedBlock)
"""Faults of what comes with a header: no quorum has signed that."""


class QuorumDisagrees(LocalFault):
    """More than two thirds of the validators made a block final that this node finds wrong."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(
            f"a quorum made block {height} final, but here it is invalid: {reason}; this node's "
            "software or hardware is at fault, or a third of the validators"
        )


class SealedChain(Protocol):
    """The chain whose next block was refused."""

    @property
    def head(self) -> BlockHeader:
        """Return the newest final header."""

    @property
    def domain(self) -> SealDomain:
        """Return what seals of this chain are about."""

    def validators_at(self, height: int) -> tuple[bytes, ...]:
        """Return the validators of a height."""


def names_parent(header: BlockHeader, parent_certificate: CommitCertificate | None) -> bool:
    """Tell whether a header names this certificate of its parent: None at height 1."""
    named = NO_CERTIFICATE if parent_certificate is None else parent_certificate.hash
    return header.parent_beacon_block_root == named


def blame_bringer(
    chain: SealedChain,
    block: Block,
    certificate: CommitCertificate,
    parent_certificate: CommitCertificate | None,
    fault: InvalidBlock,
) -> None:
    """Return where whoever brought a refused block is at fault, and raise `QuorumDisagrees` else.

    That is where a quorum sealed this very header and the fault is of nothing else.
    """
    if isinstance(fault, NOT_SEALED) or not names_parent(block.header, parent_certificate):
        return
    if block.number != chain.head.block_number + 1:
        return
    validators = chain.validators_at(block.number)
    try:
        validate_certificate(certificate, chain.domain, validators, block.hash, block.number)
    except BadCertificate:
        return
    raise QuorumDisagrees(block.number, str(fault)) from fault
