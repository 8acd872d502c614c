"""Follows a chain by certificates alone: who trusts one block learns which later ones are final.

A certificate is judged by the validators of its height. These stand in the chain's own state, which
a header proves: so a trusted header gives the validators of its epoch, they vouch for a header near
the epoch's end, and its state gives those of the next epoch. A point from which to start must be
younger than half the unbonding time: whoever voted before may have taken the bond back, and can
sign another past at no cost (PROTOCOL section 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consensus.certificate import CommitCertificate, SealDomain, validate_certificate
from consensus.faults import BadCertificate
from consensus.validators import LIST_LEAD_BLOCKS, epoch_of, list_height
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.trie_state import TrieState
from cvm.faults import MissingTrieNode
from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import (
    EPOCH_BLOCKS_SLOT,
    SEATS_SLOT,
    UNBONDING_BLOCKS_SLOT,
    array_element_slot,
    read_epoch_blocks,
    read_unbonding_blocks,
    read_validators,
)

FIXED_SLOTS = (SEATS_SLOT, EPOCH_BLOCKS_SLOT, UNBONDING_BLOCKS_SLOT)
"""What a proof of the validators begins with; `seat_slots` says what else it needs."""


class BadProof(Exception):
    """What was sent does not prove the validators of a header's state."""


class TrustedPointTooOld(Exception):
    """Bonds may have been returned since the block from which this node is to start."""

    def __init__(self, number: int, age_s: int, limit_s: int) -> None:
        super().__init__(
            f"block {number} is {age_s} s old, and a trusted block may be {limit_s} s old at most, "
            "half of the time for which bonds are held: give a newer one with --checkpoint"
        )


@dataclass(frozen=True, slots=True)
class TrustedPoint:
    """A final header and the validators that its state fixes, by epoch; the last is the newest."""

    header: BlockHeader
    epoch_blocks: int
    unbonding_blocks: int
    sets: tuple[tuple[int, tuple[bytes, ...]], ...]

    def validators_at(self, height: int) -> tuple[bytes, ...]:
        """Return the validators of a height; raises `BadCertificate` where they are not known."""
        epoch = epoch_of(height, self.epoch_blocks)
        for known, validators in self.sets:
            if known == epoch:
                return validators
        raise BadCertificate(height, f"the validators of epoch {epoch} are not known yet")

    def next_height(self) -> int:
        """Return the height whose state fixes the validators of the first epoch not known."""
        return list_height(self.sets[-1][0] + 1, self.epoch_blocks)


def seat_count(header: BlockHeader, state: TrieState) -> int:
    """Return how many places the list of validators has; raises `BadProof`."""
    try:
        return state.storage(VALIDATOR_SET, SEATS_SLOT)
    except MissingTrieNode as error:
        raise BadProof(f"block {header.block_number}: the list's length is not proven") from error


def seat_slots(count: int) -> tuple[int, ...]:
    """Return the slots of a list of validators."""
    return tuple(array_element_slot(SEATS_SLOT, index) for index in range(count))


def trusted_point(header: BlockHeader, state: TrieState) -> TrustedPoint:
    """Read the validators out of the state of a header that is trusted; raises `BadProof`."""
    height = header.block_number

    def read(address: bytes, slot: int, /) -> int:
        return state.storage(address, slot)

    try:
        epoch_blocks = read_epoch_blocks(read)
        if epoch_blocks == 0:
            raise BadProof(f"the state of block {height} has no validators")
        heights = (height, height + LIST_LEAD_BLOCKS)
        sets = {epoch_of(one, epoch_blocks): read_validators(read, one) for one in heights}
        unbonding_blocks = read_unbonding_blocks(read)
    except MissingTrieNode as error:
        raise BadProof(f"block {height}: a slot of the validators is not proven") from error
    return TrustedPoint(header, epoch_blocks, unbonding_blocks, tuple(sorted(sets.items())))


def validate_final(
    trusted: TrustedPoint, domain: SealDomain, certificate: CommitCertificate
) -> None:
    """Check that the block of a certificate is final; raises `BadCertificate`."""
    height = certificate.height
    if height <= trusted.header.block_number:
        raise BadCertificate(height, "is not above the block that is trusted")
    validators = trusted.validators_at(height)
    validate_certificate(certificate, domain, validators, certificate.header_hash, height)


def follow(
    trusted: TrustedPoint,
    domain: SealDomain,
    certificate: CommitCertificate,
    header: BlockHeader,
    state: TrieState,
) -> TrustedPoint:
    """Return the trust in a later block; raises `BadCertificate` or `BadProof`."""
    validate_final(trusted, domain, certificate)
    if header.hash != certificate.header_hash:
        raise BadProof(f"the header 0x{header.hash.hex()} is not that of the certificate")
    return trusted_point(header, state)


def validate_age(trusted: TrustedPoint, now_s: int, period_s: int) -> None:
    """Check that bonds of that time are still held; raises `TrustedPointTooOld`."""
    age_s = now_s - trusted.header.timestamp
    limit_s = trusted.unbonding_blocks * period_s // 2
    if age_s > limit_s:
        raise TrustedPointTooOld(trusted.header.block_number, age_s, limit_s)


def proven_state(root: bytes, nodes: Iterable[bytes]) -> TrieState:
    """Return a reader of what nodes from outside prove, each looked up by its hash.

    It raises `MissingTrieNode` for what they do not prove.
    """
    by_hash = {keccak256(node): node for node in nodes}
    return TrieState(root, by_hash.get)
