"""geth's genesis file of a plain Ethereum chain: its forks, and block 0 with its state."""

from dataclasses import dataclass, replace
from typing import Any

from consensus.block import EMPTY_REQUESTS_HASH, EMPTY_WITHDRAWALS_ROOT
from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_forks import EthereumForks, parse_forks
from consensus.faults import InvalidGenesis
from consensus.genesis import Alloc, allocated, hex_bytes, parse_alloc, quantity
from consensus.header_rules import INITIAL_BASE_FEE
from cvm.evm.forks import Fork
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import EMPTY_TRIE_ROOT

ZERO_HASH = "0x" + "00" * 32
NONCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class EthereumGenesis:
    """A parsed file: the forks, the accounts, and the header without its state root."""

    forks: EthereumForks
    alloc: Alloc
    header: BlockHeader


def parse_ethereum_genesis(document: Any) -> EthereumGenesis:
    """Parse geth's genesis object; raises `InvalidGenesis` with field and value."""
    if not isinstance(document, dict):
        raise InvalidGenesis("the genesis file must hold one JSON object")
    document = {key: value for key, value in document.items() if value is not None}
    difficulty = quantity(document, "difficulty", 0)
    forks = parse_forks(document.get("config"), difficulty)
    timestamp = quantity(document, "timestamp", 0, bits=64)
    header = BlockHeader(
        parent_hash=hex_bytes(document.get("parentHash", ZERO_HASH), "parentHash", 32),
        coinbase=hex_bytes(document.get("coinbase", "0x" + "00" * 20), "coinbase", 20),
        difficulty=difficulty,
        block_number=quantity(document, "number", 0, bits=64),
        gas_limit=quantity(document, "gasLimit", 0, bits=64),
        gas_used=quantity(document, "gasUsed", 0, bits=64),
        timestamp=timestamp,
        extra_data=hex_bytes(document.get("extraData", "0x"), "extraData"),
        mix_hash=hex_bytes(document.get("mixHash", ZERO_HASH), "mixHash", 32),
        nonce=quantity(document, "nonce", 0, bits=64).to_bytes(NONCE_BYTES, "big"),
        **later_fields(document, forks, timestamp),
    )
    return EthereumGenesis(forks, parse_alloc(document.get("alloc", {})), header)


def later_fields(document: dict[str, Any], forks: EthereumForks, timestamp: int) -> dict[str, Any]:
    """Return the header's fields of the forks that hold at block 0."""
    fields: dict[str, Any] = {}
    if forks.is_london(0):
        fields["base_fee_per_gas"] = quantity(document, "baseFeePerGas", INITIAL_BASE_FEE)
    fork = forks.point_at(0, timestamp).fork
    if not isinstance(fork, Fork):
        return fields
    if fork.is_shanghai:
        fields["withdrawals_root"] = EMPTY_WITHDRAWALS_ROOT
    if fork.is_cancun:
        fields["blob_gas_used"] = quantity(document, "blobGasUsed", 0, bits=64)
        fields["excess_blob_gas"] = quantity(document, "excessBlobGas", 0, bits=64)
        fields["parent_beacon_block_root"] = bytes(32)
    if fork.is_prague:
        fields["requests_hash"] = EMPTY_REQUESTS_HASH
    return fields


def ethereum_genesis_block(
    genesis: EthereumGenesis, committer: StateCommitter
) -> tuple[EthereumBlock, StateUpdate]:
    """Return block 0 and its state, made by a committer over an empty store."""
    update = committer.commit(EMPTY_TRIE_ROOT, allocated(genesis.alloc, keeps_empty=True))
    header = replace(genesis.header, state_root=update.root)
    withdrawals = None if header.withdrawals_root is None else ()
    return EthereumBlock(header, (), (), withdrawals), update
