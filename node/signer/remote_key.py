"""The node's side of an external signer: a `ValidatorKey` behind a local socket.

Consensus asks its signer for the signature of a digest, right after it has asked a domain for that
digest. The domains here remember what the last digest stands for, so that the signer is told.
"""

import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from consensus.certificate import SealDomain
from consensus.qbft.signing import SIGNATURE_BYTES, SigningDomain
from cvm.faults import LocalFault
from node.signer.requests import (
    AttestationRequest,
    MessageRequest,
    SealRequest,
    SigningRequest,
    encode_request,
)
from node.validator_key import Voting

ADDRESS_BYTES = 20
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 4_096


class SignerUnavailable(LocalFault):
    """The external signer does not answer."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the signer at {path} does not answer: {reason}")


class SignerRefuses(LocalFault):
    """The external signer will not sign; this node must not vote without it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the signer at {path} refuses: {reason}")


class SignerConnection:
    """Asks a signer, one question after the other; connects anew where the connection is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, line: bytes, size: int) -> bytes:
        """Return an answer of this size; raises `SignerUnavailable` or `SignerRefuses`."""
        with self._lock:
            was_open = self._socket is not None
            try:
                text = self._exchange(line)
            except OSError as error:
                self.close()
                if not was_open:
                    raise SignerUnavailable(self._path, str(error)) from error
                text = self._again(line)
        return self._parsed(text, size)

    def _again(self, line: bytes) -> bytes:
        """Ask once more on a new connection: the signer may have been started anew."""
        try:
            return self._exchange(line)
        except OSError as error:
            self.close()
            raise SignerUnavailable(self._path, str(error)) from error

    def _exchange(self, line: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(TIMEOUT_S)
            self._socket.connect(str(self._path))
        self._socket.sendall(line)
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < MAX_ANSWER_BYTES:
            part = self._socket.recv(MAX_ANSWER_BYTES)
            if not part:
                raise ConnectionResetError("it closed the connection")
            answer += part
        return answer

    def _parsed(self, text: bytes, size: int) -> bytes:
        try:
            answer = json.loads(text)
            if "error" in answer:
                raise SignerRefuses(self._path, str(answer["error"])[:500])
            found = bytes.fromhex(answer["result"].removeprefix("0x"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SignerUnavailable(self._path, f"not an answer: {error!r}") from error
        if len(found) != size:
            raise SignerUnavailable(self._path, f"{len(found)} bytes where {size} were expected")
        return found


@dataclass(slots=True)
class LastDigest:
    """What the last digest of a chain stands for."""

    digest: bytes = b""
    request: SigningRequest | None = None


@dataclass(frozen=True, slots=True)
class RememberingMessages(SigningDomain):
    """A domain of messages that remembers what its last digest stands for."""

    last: LastDigest = field(default_factory=LastDigest)

    def digest(self, code: int, payload: bytes) -> bytes:
        """Return what is signed of a payload's RLP."""
        digest = SigningDomain.digest(self, code, payload)
        self.last.digest, self.last.request = digest, MessageRequest(code, payload)
        return digest


@dataclass(frozen=True, slots=True)
class RememberingSeals(SealDomain):
    """A domain of seals that remembers what its last digest stands for."""

    last: LastDigest = field(default_factory=LastDigest)

    def digest(self, height: int, round_number: int, header_hash: bytes) -> bytes:
        """Return what a validator signs to commit to a header."""
        digest = SealDomain.digest(self, height, round_number, header_hash)
        self.last.digest = digest
        self.last.request = SealRequest(height, round_number, header_hash)
        return digest


@dataclass(frozen=True, slots=True)
class RemoteSigner:
    """The `Signer` of consensus: tells the signer what the digest stands for."""

    address: bytes
    chain: SealDomain
    last: LastDigest
    connection: SignerConnection

    def sign(self, digest: bytes) -> bytes:
        """Return 65 bytes r || s || v; raises `SignerUnavailable` or `SignerRefuses`."""
        request = self.last.request
        if request is None or digest != self.last.digest:
            raise ValueError("a digest to sign that no domain has made last")
        return self.connection.ask(encode_request(request, self.chain), SIGNATURE_BYTES)


class RemoteKey:
    """A `ValidatorKey` behind a local socket; raises `SignerUnavailable` where nobody answers."""

    def __init__(self, path: Path) -> None:
        self._connection = SignerConnection(path)
        try:
            self.address = self._connection.ask(b'{"method": "address"}\n', ADDRESS_BYTES)
        except LocalFault:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def voting(self, chain: SealDomain) -> Voting:
        """Return what signs the votes of a chain."""
        last = LastDigest()
        return Voting(
            RemoteSigner(self.address, chain, last, self._connection),
            RememberingMessages(chain.chain_id, chain.genesis_hash, last),
            RememberingSeals(chain.chain_id, chain.genesis_hash, last),
        )

    def sign_attestation(
        self, chain: SealDomain, model_id: bytes, nonce: int, record_hash: bytes
    ) -> bytes:
        """Return r || s || v, v 27 or 28, of a model's record."""
        request = AttestationRequest(model_id, nonce, record_hash)
        signature = self._connection.ask(encode_request(request, chain), SIGNATURE_BYTES)
        return signature[:64] + bytes((signature[64] + 27,))
