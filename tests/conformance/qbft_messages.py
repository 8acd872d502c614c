"""Builds messages of QBFT from the JSON of Consensys/qbft-tests."""

from typing import Any

from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    PROPOSAL,
    ROUND_CHANGE,
    Commit,
    CommitPayload,
    Message,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)

CODES = {
    "prepare": PREPARE,
    "commit": COMMIT,
    "roundChange": ROUND_CHANGE,
    "proposal": PROPOSAL,
}


def data_of(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def message_of(document: dict[str, Any]) -> Message:
    """Return the message that the suite describes."""
    if document["type"] == "prepare":
        return prepare_of(document)
    if document["type"] == "commit":
        payload = document["unsignedCommit"]
        return Commit(
            CommitPayload(
                payload["sequence"],
                payload["round"],
                data_of(payload["digest"]),
                data_of(payload["commitSeal"]),
            ),
            data_of(document["signature"]),
        )
    prepares = tuple(map(prepare_of, document["prepares"]))
    if document["type"] == "roundChange":
        block = document["block"]
        signed = round_change_of(document["signedRoundChange"])
        return RoundChange(signed, None if block is None else data_of(block), prepares)
    signed = document["signedProposal"]
    payload = signed["unsignedProposal"]
    return Proposal(
        ProposalPayload(payload["sequence"], payload["round"], data_of(payload["block"])),
        data_of(signed["signature"]),
        tuple(map(round_change_of, document["roundChanges"])),
        prepares,
    )


def prepare_of(document: dict[str, Any]) -> Prepare:
    payload = document["unsignedPrepare"]
    return Prepare(
        PreparePayload(payload["sequence"], payload["round"], data_of(payload["digest"])),
        data_of(document["signature"]),
    )


def round_change_of(document: dict[str, Any]) -> SignedRoundChange:
    payload = document["unsignedRoundChange"]
    value = payload["preparedValue"]
    claim = None if value is None else PreparedClaim(payload["preparedRound"], data_of(value))
    return SignedRoundChange(
        RoundChangePayload(payload["sequence"], payload["round"], claim),
        data_of(document["signature"]),
    )
