"""The eth_ method that proves accounts and their storage."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from node.execution.proofs import AccountProof, ProofJob
from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, quantity, word
from node.rpc.faults import InvalidParams
from node.rpc.parameters import (
    Address,
    Block,
    BlockTag,
    parse_list,
    parse_storage_slot,
)
from node.rpc.registry import JsonValue, rpc_method

MAX_SLOTS = 1_024
"""Of one request, as in geth."""
WORD_CHARACTERS = 66
"""0x and 64 digits."""


@dataclass(frozen=True, slots=True)
class NamedSlot:
    """A slot, and how an answer names it: as 32 bytes where its caller wrote so."""

    slot: int
    is_whole: bool


def parse_slots(value: object) -> tuple[NamedSlot, ...]:
    """Return slots of at most 32 bytes each; raises `BadArgument`, or `InvalidParams` for many."""
    items = parse_list(value)
    if len(items) > MAX_SLOTS:
        raise InvalidParams(f"too many slots (max {MAX_SLOTS})")
    return tuple(
        [NamedSlot(parse_storage_slot(item), len(str(item)) == WORD_CHARACTERS) for item in items]
    )


Slots: TypeAlias = Annotated[tuple[NamedSlot, ...], parse_slots]


@rpc_method("eth_getProof")
async def get_proof(
    chain: EthView, address: Address, slots: Slots, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Return an account with Merkle proofs of it and of some of its slots (EIP-1186)."""
    header = require_header(chain, block)
    job = ProofJob(header.hash, address, tuple(item.slot for item in slots))
    return _proof_object(address, slots, await chain.execute(job))


def _proof_object(address: bytes, slots: tuple[NamedSlot, ...], found: AccountProof) -> JsonValue:
    account = found.account
    return {
        "address": data(address),
        "accountProof": [data(node) for node in found.proof],
        "balance": quantity(account.balance),
        "codeHash": data(account.code_hash),
        "nonce": quantity(account.nonce),
        "storageHash": data(account.storage_root),
        "storageProof": [
            {
                "key": word(proof.slot) if named.is_whole else quantity(proof.slot),
                "value": quantity(proof.value),
                "proof": [data(node) for node in proof.proof],
            }
            for named, proof in zip(slots, found.slots, strict=True)
        ],
    }
