"""Answers the requests of cvm/1 from what lies on this disk; runs off the event loop."""

from collections.abc import Iterator
from typing import Protocol

from consensus.certificate import CommitCertificate
from cvm.evm.header import BlockHeader
from cvm.evm.trie_state import TrieState
from cvm.faults import DatabaseFault, ModelDataMissing
from models_registry.chunks import BadChunkIndex
from node.p2p.cvm_messages import (
    Blocks,
    Certificates,
    Chunk,
    GetBlocks,
    GetCertificates,
    GetChunk,
)
from node.p2p.cvm_state_messages import Codes, GetCodes, GetProof, GetStateChunk, Proof
from node.p2p.state_serving import StateServing
from node.p2p.wire_fields import WireMessage
from node.rpc.chain_view import ModelChunk
from node.storage.stored_header import header_of_block

ANSWER_BYTES = 2 << 20
"""Where an answer stops growing; its first item may be longer."""


class ChainSource(Protocol):
    """What other nodes may be told of a chain; safe to call from a thread."""

    def head(self) -> BlockHeader:
        """Return the newest final header."""

    def earliest_height(self) -> int:
        """Return the lowest height from which every block is here."""

    def block_bytes_at(self, number: int) -> bytes | None:
        """Return the RLP of the block at a height."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return a header by its hash."""

    def certificate_at(self, number: int) -> CommitCertificate | None:
        """Return the certificate of the block at a height."""

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its hash."""

    def state_node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""

    def preimage(self, key_hash: bytes) -> bytes | None:
        """Return the address or the slot of a hash."""

    def follow_head(self) -> None:
        """Bring what is known of hashes to the head."""

    def model_chunk(self, model_id: bytes, index: int) -> ModelChunk:
        """Return a chunk; raises `ModelDataMissing` or `BadChunkIndex`."""


class CvmServing:
    """Answers one request at a time; whatever is not here is left out of the answer."""

    def __init__(self, source: ChainSource) -> None:
        self._source = source
        self._states = StateServing(source)

    def answer(self, request: WireMessage) -> WireMessage | None:
        """Return the reply to a request, None for a message that is none."""
        match request:
            case GetBlocks():
                return self._blocks(request)
            case GetCertificates():
                return self._certificates(request)
            case GetChunk():
                return self._chunk(request)
            case GetCodes():
                return self._codes(request)
            case GetProof():
                return self._proof(request)
            case GetStateChunk():
                return self._states.answer(request)
        return None

    def _blocks(self, request: GetBlocks) -> Blocks:
        found: list[tuple[bytes, CommitCertificate]] = []
        size = 0
        for block, certificate in self._final_blocks(request.start, request.count):
            size += len(block)
            if found and size > ANSWER_BYTES:
                break
            found.append((block, certificate))
        parent = self._named_certificate(found[0][0]) if found else None
        return Blocks(request.request_id, tuple(found), parent)

    def _final_blocks(self, start: int, count: int) -> Iterator[tuple[bytes, CommitCertificate]]:
        """Yield blocks, each under the certificate that the next header names.

        A tip's certificate may be replaced while it is read; then this ends before it.
        """
        named = b""
        waiting: tuple[bytes, CommitCertificate] | None = None
        for number in range(start, start + count):
            block = self._source.block_bytes_at(number)
            certificate = self._source.certificate_at(number)
            if waiting is not None and block is not None:
                named = header_of_block(block).parent_beacon_block_root or b""
                if waiting[1].hash != named:
                    return
            if waiting is not None:
                yield waiting
            if block is None or certificate is None:
                return
            waiting = block, certificate
        if waiting is not None:
            yield waiting

    def _named_certificate(self, block: bytes) -> CommitCertificate | None:
        header = header_of_block(block)
        certificate = self._source.certificate_at(header.block_number - 1)
        if certificate is None or certificate.hash != header.parent_beacon_block_root:
            return None
        return certificate

    def _certificates(self, request: GetCertificates) -> Certificates:
        found: list[CommitCertificate] = []
        for number in range(request.start, request.start + request.count):
            certificate = self._source.certificate_at(number)
            if certificate is None:
                break
            found.append(certificate)
        return Certificates(request.request_id, tuple(found))

    def _chunk(self, request: GetChunk) -> Chunk:
        try:
            found = self._source.model_chunk(request.model_id, request.index)
        except (ModelDataMissing, BadChunkIndex):
            return Chunk(request.request_id, 0, request.index, b"", ())
        proof = tuple(found.proof)
        return Chunk(request.request_id, found.size_bytes, found.index, found.chunk, proof)

    def _codes(self, request: GetCodes) -> Codes:
        found: list[bytes] = []
        size = 0
        for code_hash in request.code_hashes:
            code = self._source.code(code_hash)
            size += 0 if code is None else len(code)
            if found and size > ANSWER_BYTES:
                break
            if code is not None:
                found.append(code)
        return Codes(request.request_id, tuple(found))

    def _proof(self, request: GetProof) -> Proof:
        header = self._source.header(request.block_hash)
        if header is None:
            return Proof(request.request_id, b"", (), ())
        state = TrieState(header.state_root, self._source.state_node)
        try:
            account = state.account_proof(request.address)
            storage = [
                node
                for slot in request.slots
                for node in state.storage_proof(request.address, slot)
            ]
        except DatabaseFault:
            return Proof(request.request_id, b"", (), ())
        nodes = tuple(dict.fromkeys(storage))
        return Proof(request.request_id, header.encode(), tuple(account), nodes)
