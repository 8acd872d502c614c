"""The capability `cvm/1`: its messages by code, and which of them only answer."""

from collections.abc import Mapping

from node.p2p.cvm_messages import (
    Attestation,
    Blocks,
    Certificates,
    Chunk,
    Evidence,
    GetBlocks,
    GetCertificates,
    GetChunk,
    HaveModels,
    NewBlock,
    Qbft,
    Status,
    WantModels,
)
from node.p2p.cvm_state_messages import (
    Codes,
    GetCodes,
    GetProof,
    GetStateChunk,
    Proof,
    StateChunk,
)
from node.p2p.wire_fields import WireMessage

REPLIES: frozenset[type[WireMessage]] = frozenset(
    (Blocks, Certificates, Chunk, StateChunk, Codes, Proof)
)
MESSAGES: Mapping[int, type[WireMessage]] = {
    message.CODE: message
    for message in (
        Status,
        Qbft,
        NewBlock,
        GetBlocks,
        Blocks,
        GetCertificates,
        Certificates,
        HaveModels,
        WantModels,
        GetChunk,
        Chunk,
        Attestation,
        Evidence,
        GetStateChunk,
        StateChunk,
        GetCodes,
        Codes,
        GetProof,
        Proof,
    )
}
