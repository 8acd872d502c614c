"""The reference signer: a key behind a local socket, which signs only what cannot cost the bond."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from consensus.certificate import SealDomain
from consensus.qbft.signing import KeySigner
from cvm.evm.private_key import PrivateKey
from cvm.faults import LocalFault
from node.signer.guard import SignGuard, SigningRefused
from node.signer.requests import MAX_LINE_BYTES, BadSigningRequest, decode_request, hex_text
from node.stream_writing import put

log = structlog.get_logger(__name__)
MAX_DEPTH = 4
IDLE_S = 3_600.0


class SocketTaken(LocalFault):
    """The place of the socket is taken by something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists and is not a socket that was left behind")


class SignerService:
    """Answers requests, one after the other."""

    def __init__(self, key: PrivateKey, chain: SealDomain, guard: SignGuard) -> None:
        self._signer = KeySigner(key.to_bytes())
        self._chain = chain
        self._guard = guard

    @property
    def address(self) -> bytes:
        """Return the address of the key."""
        return self._signer.address

    def answer(self, line: bytes) -> bytes:
        """Return the line that answers a line; raises a `LocalFault` where the disk fails."""
        try:
            return encode_answer("result", self._result(line))
        except (BadSigningRequest, SigningRefused) as fault:
            log.warning("not signed", reason=str(fault))
            return encode_answer("error", str(fault))

    def _result(self, line: bytes) -> str:
        request = parse_line(line)
        method = request.get("method")
        if method == "address":
            return hex_text(self.address)
        if method != "sign":
            raise BadSigningRequest(f"method is {str(method)[:40]!r}: want address or sign")
        wanted = decode_request(request.get("params"), self._chain)
        place = wanted.place()
        if place is not None:
            self._guard.note(place)
        return hex_text(self._signer.sign(wanted.digest(self._chain)))


def parse_line(line: bytes) -> dict[str, object]:
    """Return the object of a line; raises `BadSigningRequest`."""
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        raise BadSigningRequest("not a request: too deep")
    try:
        request = json.loads(line)
    except ValueError as error:
        raise BadSigningRequest("not JSON") from error
    if not isinstance(request, dict):
        raise BadSigningRequest("not a JSON object")
    return request


def encode_answer(name: str, value: str) -> bytes:
    """Return the line of an answer."""
    return json.dumps({name: value}).encode() + b"\n"


@asynccontextmanager
async def serve_signer(service: SignerService, path: Path) -> AsyncIterator[None]:
    """Listen on a socket that only this user reaches, until the end of the block.

    Raises `SocketTaken`.
    """
    remove_left_socket(path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(IDLE_S) as idle:
                while line := await reader.readline():
                    put(writer, service.answer(line))
                    await writer.drain()
                    idle.reschedule(asyncio.get_running_loop().time() + IDLE_S)
        except (TimeoutError, ConnectionError, ValueError) as fault:
            log.info("connection ended", reason=str(fault))
        finally:
            writer.close()

    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(talk, path, limit=MAX_LINE_BYTES)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        remove_left_socket(path)


def remove_left_socket(path: Path) -> None:
    """Remove a socket that a process left behind; raises `SocketTaken` for anything else."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(path)
    path.unlink()
