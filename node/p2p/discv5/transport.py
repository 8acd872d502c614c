"""The UDP socket: datagrams in through a bounded queue, datagrams out or lost."""

import asyncio
import socket
from typing import cast

from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.packet import MAX_PACKET_BYTES, MIN_PACKET_BYTES

QUEUE_SIZE = 512


class UdpSocket(asyncio.DatagramProtocol):
    """A bound socket; what comes in faster than it is read is lost, as UDP loses it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[bytes, Endpoint]] = asyncio.Queue(QUEUE_SIZE)
        self._transport: asyncio.DatagramTransport | None = None
        self._is_paused = False
        self.lost = 0
        self.endpoint = Endpoint("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the address that the socket has."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is no subclass
        host, port = transport.get_extra_info("sockname")[:2]
        self.endpoint = Endpoint(host, port)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Queue what may be a packet."""
        if not MIN_PACKET_BYTES <= len(data) <= MAX_PACKET_BYTES or self._queue.full():
            self.lost += 1
            return
        self._queue.put_nowait((data, Endpoint(str(addr[0]), int(addr[1]))))

    def error_received(self, _exc: Exception) -> None:
        """Count what the network refused: the request that waits for an answer times out."""
        self.lost += 1

    def pause_writing(self) -> None:
        """Lose datagrams while the network takes no more."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Send again."""
        self._is_paused = False

    def send(self, datagram: bytes, endpoint: Endpoint) -> None:
        """Send a datagram; it is lost where the network is slower than we are."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        is_other_family = (":" in endpoint.ip) != (":" in self.endpoint.ip)
        if is_other_family or self._is_paused:
            self.lost += 1
            return
        transport.sendto(datagram, endpoint)

    async def receive(self) -> tuple[bytes, Endpoint]:
        """Return the next datagram and who sent it."""
        return await self._queue.get()

    def close(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.close()


async def open_udp(host: str, port: int) -> UdpSocket:
    """Bind a UDP socket of the address's own family; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            UdpSocket, sock=bound
        )
    except BaseException:
        bound.close()
        raise
    return protocol
