"""The first exchange of eth: both sides show their chain, and part where it is not the same."""

import asyncio
from typing import NoReturn

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.eth_chain import EthChainView
from node.p2p.eth_peer import EthPeer
from node.p2p.eth_status import Status68, Status69
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.protocol import Channel, Message

STATUS_TIMEOUT_S = 5.0
STATUSES: dict[int, type[Message]] = {68: Status68, 69: Status69}


async def shake_hands(channel: Channel, chain: EthChainView) -> EthPeer:
    """Exchange Status and return the peer.

    Raises `BadMessage` where its first message is no Status of its version, or `PeerGone` where
    it is silent or follows another chain.
    """
    version = channel.capability.version
    total = await asyncio.to_thread(chain.total_difficulty) if version == 68 else 0
    await channel.send(own_status(chain, version, total))
    try:
        async with asyncio.timeout(STATUS_TIMEOUT_S):
            theirs = await channel.receive()
    except TimeoutError:
        part(channel, DisconnectReason.TIMED_OUT, f"no Status within {STATUS_TIMEOUT_S} s")
    if not isinstance(theirs, Status68 | Status69):
        raise BadMessage(f"{type(theirs).__name__} before Status")
    if theirs.version != version:
        part(
            channel,
            DisconnectReason.INCOMPATIBLE_VERSION,
            f"Status of eth/{theirs.version} over eth/{version}",
        )
    difference = difference_to(theirs, chain)
    if difference is not None:
        part(channel, DisconnectReason.USELESS_PEER, difference)
    if isinstance(theirs, Status68):
        return EthPeer(channel, theirs.head_hash)
    if theirs.earliest > theirs.latest:
        raise BadMessage(f"blocks from {theirs.earliest} to {theirs.latest}")
    return EthPeer(channel, theirs.latest_hash, theirs.latest)


def own_status(chain: EthChainView, version: int, total_difficulty: int) -> Status68 | Status69:
    """Return what we show."""
    identity, head = chain.identity, chain.head
    if version == 68:
        return Status68(
            version,
            identity.network_id,
            total_difficulty,
            head.hash,
            identity.genesis_hash,
            identity.fork_id(head),
        )
    return Status69(
        version,
        identity.network_id,
        identity.genesis_hash,
        identity.fork_id(head),
        chain.earliest,
        head.block_number,
        head.hash,
    )


def difference_to(theirs: Status68 | Status69, chain: EthChainView) -> str | None:
    """Return in words why a peer is not on our chain, None where it may be."""
    identity = chain.identity
    if theirs.network_id != identity.network_id:
        return f"network id {theirs.network_id}, ours is {identity.network_id}"
    if theirs.genesis_hash != identity.genesis_hash:
        return f"genesis 0x{theirs.genesis_hash.hex()}, ours is 0x{identity.genesis_hash.hex()}"
    if not identity.fits(theirs.fork_id, chain.head):
        ours = identity.fork_id(chain.head)
        return f"fork id {shown(theirs.fork_id.hash, theirs.fork_id.next)}, " + (
            f"ours is {shown(ours.hash, ours.next)}"
        )
    return None


def shown(fork_hash: bytes, following: int) -> str:
    """Return a fork identifier in words."""
    return f"0x{fork_hash.hex()} before {following}"


def part(channel: Channel, reason: DisconnectReason, detail: str) -> NoReturn:
    """End a session; raises `PeerGone`."""
    channel.peer.disconnect(reason)
    raise PeerGone(reason, detail)
