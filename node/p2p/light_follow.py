"""Asks peers for what a light client needs: from a trusted block to one near the tip.

A peer whose answer proves nothing is banned and another one is asked; none of them is believed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from consensus.block import decode_block
from consensus.block_execution import validate_body
from consensus.certificate import CommitCertificate, SealDomain
from consensus.faults import BadCertificate, BodyRootWrong, MalformedBlock
from consensus.light_client import (
    FIXED_SLOTS,
    BadProof,
    TrustedPoint,
    follow,
    proven_state,
    seat_count,
    seat_slots,
    trusted_point,
    validate_final,
)
from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.trie_state import TrieState
from models_registry.addresses import VALIDATOR_SET
from node.p2p.cvm_messages import Blocks, Certificates
from node.p2p.cvm_state_messages import MAX_SLOTS, Proof
from node.p2p.faults import PeerGone, RequestTimedOut
from node.storage.snapshot_store import Pivot

log = structlog.get_logger(__name__)

LIE_POINTS = 100
SILENCE_POINTS = 20
EMPTY_POINTS = 20
"""For claiming a height and having no block of it."""
T = TypeVar("T")


class NoTrustedWay(Exception):
    """No peer could prove the way from the trusted block to a newer one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no peer could give {what}")


class NotServed(Exception):
    """A peer does not have what it was asked for; no fault of it."""


class LightPeer(Protocol):
    """A peer as a light client sees it; requests raise `RequestTimedOut` or `PeerGone`."""

    @property
    def node_id(self) -> bytes:
        """Return its public key."""

    @property
    def height(self) -> int:
        """Return the highest block that it claims to have."""

    @property
    def earliest_height(self) -> int:
        """Return the lowest one."""

    def lacks_block(self, height: int) -> None:
        """Note that it could not give a block that it claimed."""

    async def certificates(self, start: int, count: int) -> Certificates:
        """Ask for certificates."""

    async def blocks(self, start: int, count: int) -> Blocks:
        """Ask for blocks."""

    async def proof(self, block_hash: bytes, address: bytes, slots: tuple[int, ...]) -> Proof:
        """Ask for a header and a proof of an account and slots in its state."""

    def penalise(self, points: int, reason: str) -> None:
        """Score it down."""


@dataclass(frozen=True, slots=True)
class LightFollower:
    """Follows one chain; `peers` tells who is there."""

    domain: SealDomain
    peers: Callable[[], Sequence[LightPeer]]

    async def start(self, block_hash: bytes, number: int | None = None) -> TrustedPoint:
        """Return the trust in a block whose hash is trusted; raises `NoTrustedWay`."""

        async def ask(peer: LightPeer) -> TrustedPoint:
            header, state = await self._proven(peer, block_hash)
            if number is not None and header.block_number != number:
                raise WrongNumber(number, header.block_number)
            return trusted_point(header, state)

        return await self._from_some_peer(f"the block 0x{block_hash.hex()}", ask)

    async def advance(self, trusted: TrustedPoint, height: int) -> TrustedPoint:
        """Return the trust in the newest block up to `height` that fixes a set of validators."""
        while trusted.next_height() <= height:
            trusted = await self._step(trusted, trusted.next_height())
        return trusted

    async def _step(self, trusted: TrustedPoint, height: int) -> TrustedPoint:
        async def ask(peer: LightPeer) -> TrustedPoint:
            certificate = await self._certificate(peer, trusted, height)
            header, state = await self._proven(peer, certificate.header_hash)
            return follow(trusted, self.domain, certificate, header, state)

        return await self._from_some_peer(f"the validators of block {height}", ask, height)

    async def pivot(self, trusted: TrustedPoint, height: int) -> Pivot:
        """Return the block at a height of a known epoch; raises `NoTrustedWay`."""

        async def ask(peer: LightPeer) -> Pivot:
            certificate = await self._certificate(peer, trusted, height)
            answer = await peer.blocks(height, 1)
            if not answer.blocks:
                raise not_served(peer, height)
            pivot = Pivot(decode_block(answer.blocks[0][0]), certificate)
            validate_pivot(pivot)
            return pivot

        return await self._from_some_peer(f"block {height}", ask, height)

    async def _certificate(
        self, peer: LightPeer, trusted: TrustedPoint, height: int
    ) -> CommitCertificate:
        answer = await peer.certificates(height, 1)
        if not answer.certificates:
            raise not_served(peer, height)
        certificate = answer.certificates[0]
        if certificate.height != height:
            raise BadCertificate(height, f"is for block {certificate.height}")
        validate_final(trusted, self.domain, certificate)
        return certificate

    async def _proven(self, peer: LightPeer, block_hash: bytes) -> tuple[BlockHeader, TrieState]:
        """Return a header, and of its state what a peer proves of the validators."""
        first = await peer.proof(block_hash, VALIDATOR_SET, FIXED_SLOTS)
        if not first.header:
            raise NotServed
        try:
            header = decode_header(first.header)
        except BadRlp as error:
            raise BadProof(f"header: {error}") from error
        if header.hash != block_hash:
            raise BadProof(f"a header 0x{header.hash.hex()} for 0x{block_hash.hex()}")
        nodes = [*first.account_nodes, *first.storage_nodes]
        slots = seat_slots(seat_count(header, proven_state(header.state_root, nodes)))
        for start in range(0, len(slots), MAX_SLOTS):
            more = await peer.proof(block_hash, VALIDATOR_SET, slots[start : start + MAX_SLOTS])
            nodes.extend(more.storage_nodes)
        return header, proven_state(header.state_root, nodes)

    async def _from_some_peer(
        self, what: str, ask: Callable[[LightPeer], Awaitable[T]], height: int = 0
    ) -> T:
        """Return the first good answer; raises `NoTrustedWay`."""
        for peer in self.peers():
            if peer.height < height:
                continue
            try:
                return await ask(peer)
            except (BadCertificate, BadProof, BodyRootWrong, MalformedBlock) as fault:
                log.warning("peer lied", node_id=peer.node_id.hex()[:16], reason=str(fault))
                peer.penalise(LIE_POINTS, str(fault))
            except RequestTimedOut as fault:
                peer.penalise(SILENCE_POINTS, str(fault))
            except (PeerGone, NotServed):
                continue
        raise NoTrustedWay(what)


def not_served(peer: LightPeer, height: int) -> NotServed:
    """Return that a peer lacks a block, and note it where the peer claims to have that block.

    Else one that claims more than there is would be the only one to be asked, again and again.
    """
    if peer.earliest_height <= height:
        peer.lacks_block(height)
        peer.penalise(EMPTY_POINTS, f"no block {height}, which it claimed to have")
    return NotServed()


class WrongNumber(Exception):
    """The checkpoint's hash is that of a block at another height than it says."""

    def __init__(self, given: int, actual: int) -> None:
        super().__init__(f"the checkpoint says block {given}, its hash is that of block {actual}")


def validate_pivot(pivot: Pivot) -> None:
    """Check that a block is the one that its certificate seals.

    Raises `BadProof`, or `BodyRootWrong` for another body.
    """
    header = pivot.header
    if header.hash != pivot.certificate.header_hash:
        raise BadProof(f"block {header.block_number} is not the one that was sealed")
    validate_body(pivot.block)
