"""What the ommers of a block of proof of work must be: one function per rule.

Yellow Paper 4.3.2 and 11.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.faults import (
    InvalidOmmer,
    OmmerAlreadyThere,
    OmmerIsAncestor,
    OmmerOfStranger,
    TooManyOmmers,
    WrongOmmersHash,
)
from consensus.faults import InvalidBlock
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_list

MAX_OMMERS = 2
OMMER_GENERATIONS = 7
"""Ancestors that matter: parents of ommers are 2 to 7 blocks back."""


@dataclass(frozen=True, slots=True)
class Family:
    """The last ancestors of a block, its parent first, and the hashes of all their ommers."""

    ancestors: tuple[BlockHeader, ...]
    ommers: frozenset[bytes]


def family_of(
    parent: BlockHeader,
    header_of: Callable[[bytes], BlockHeader | None],
    ommers_of: Callable[[BlockHeader], Sequence[BlockHeader]],
) -> Family:
    """Return the family of the children of `parent`, read from a chain."""
    ancestors = [parent]
    while len(ancestors) < OMMER_GENERATIONS and ancestors[-1].block_number:
        older = header_of(ancestors[-1].parent_hash)
        if older is None:
            break
        ancestors.append(older)
    ommers = frozenset(ommer.hash for ancestor in ancestors for ommer in ommers_of(ancestor))
    return Family(tuple(ancestors), ommers)


def validate_ommers_hash(block: EthereumBlock) -> None:
    """Demand that the header names the ommers of the body."""
    found = keccak256(encode_list(b"".join([ommer.encode() for ommer in block.ommers])))
    if found != block.header.uncles_hash:
        raise WrongOmmersHash(block.number, found, block.header.uncles_hash)


def validate_ommer_count(block: EthereumBlock) -> None:
    """Yellow Paper (166): at most two."""
    if len(block.ommers) > MAX_OMMERS:
        raise TooManyOmmers(block.number, len(block.ommers), MAX_OMMERS)


def validate_ommers(
    block: EthereumBlock,
    family: Family,
    validate_header: Callable[[BlockHeader, BlockHeader], None],
) -> None:
    """Check every ommer; `validate_header` is told one and its parent. Raises an `InvalidBlock`."""
    ancestors = {ancestor.hash: ancestor for ancestor in family.ancestors}
    taken = set(family.ommers) | {block.hash}
    for ommer in block.ommers:
        if ommer.hash in taken:
            raise OmmerAlreadyThere(block.number, ommer.hash)
        if ommer.hash in ancestors:
            raise OmmerIsAncestor(block.number, ommer.hash)
        parent = ancestors.get(ommer.parent_hash)
        if parent is None or ommer.parent_hash == block.header.parent_hash:
            raise OmmerOfStranger(block.number, ommer.hash, ommer.parent_hash)
        try:
            validate_header(ommer, parent)
        except InvalidBlock as error:
            raise InvalidOmmer(block.number, ommer.hash, str(error)) from error
        taken.add(ommer.hash)
