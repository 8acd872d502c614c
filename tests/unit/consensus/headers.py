"""A parent header and a child that keeps every rule, for tests that break one of them."""

from typing import Any

from consensus.block import EMPTY_REQUESTS_HASH, EMPTY_WITHDRAWALS_ROOT
from consensus.header_rules import derive_fields
from consensus.parameters import ChainParameters
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256

PARAMETERS = ChainParameters(chain_id=7, period_s=2)
GAS_LIMIT = 1 << 25
CERTIFICATE = b"\xce" * 32


def parent_header(**fields: Any) -> BlockHeader:
    defaults: dict[str, Any] = {
        "difficulty": 0,
        "block_number": 9,
        "gas_limit": GAS_LIMIT,
        "gas_used": GAS_LIMIT // 2,
        "timestamp": 1_000,
        "mix_hash": b"\x0a" * 32,
        "nonce": bytes(8),
        "base_fee_per_gas": 1_000_000_000,
        "withdrawals_root": EMPTY_WITHDRAWALS_ROOT,
        "blob_gas_used": 0,
        "excess_blob_gas": 0,
        "parent_beacon_block_root": bytes(32),
        "requests_hash": EMPTY_REQUESTS_HASH,
    }
    return BlockHeader(**(defaults | fields))


PARENT = parent_header()
DERIVED = derive_fields(PARENT, CERTIFICATE, PARAMETERS)


def child_header(**fields: Any) -> BlockHeader:
    defaults: dict[str, Any] = {
        "block_number": 10,
        "parent_hash": PARENT.hash,
        "mix_hash": keccak256(b"\x0a" * 32 + (10).to_bytes(32, "big")),
        "timestamp": 1_002,
        "parent_beacon_block_root": CERTIFICATE,
    }
    return parent_header(**(defaults | fields))
