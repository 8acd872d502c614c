"""The genesis file, in geth's format: parsing it, and the block and state that it stands for."""

import re
from dataclasses import dataclass
from typing import Any

from consensus.block import EMPTY_REQUESTS_HASH, EMPTY_WITHDRAWALS_ROOT, ZERO_NONCE
from consensus.faults import InvalidGenesis
from consensus.header_rules import INITIAL_BASE_FEE, MAX_EXTRA_DATA_BYTES
from consensus.parameters import ChainParameters, parse_parameters
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account, StateChanges

NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}")
HEX = re.compile(r"(0x)?[0-9a-fA-F]*")


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """One entry of `alloc`; the balance is in wei."""

    balance: int
    nonce: int
    code: bytes
    storage: tuple[tuple[int, int], ...]


Alloc = tuple[tuple[bytes, GenesisAccount], ...]


@dataclass(frozen=True, slots=True)
class Genesis:
    """A parsed genesis file."""

    parameters: ChainParameters
    timestamp: int
    extra_data: bytes
    base_fee: int
    coinbase: bytes
    prev_randao: bytes
    alloc: Alloc


def parse_genesis(document: Any) -> Genesis:
    """Parse a geth-format genesis object; raises `InvalidGenesis` with field and value."""
    if not isinstance(document, dict):
        raise InvalidGenesis("the genesis file must hold one JSON object")
    parameters = parse_parameters(document.get("config"))
    gas_limit = quantity(document, "gasLimit", parameters.block_gas_limit)
    if gas_limit != parameters.block_gas_limit:
        raise InvalidGenesis(
            f"gasLimit is {gas_limit}, but config.cvm.block_gas_limit is "
            f"{parameters.block_gas_limit} and every header must show that"
        )
    validate_unused(document)
    extra_data = hex_bytes(document.get("extraData", "0x"), "extraData")
    if len(extra_data) > MAX_EXTRA_DATA_BYTES:
        raise InvalidGenesis(f"extraData has {len(extra_data)} bytes, at most 32")
    return Genesis(
        parameters=parameters,
        timestamp=quantity(document, "timestamp", 0, bits=64),
        extra_data=extra_data,
        base_fee=quantity(document, "baseFeePerGas", INITIAL_BASE_FEE),
        coinbase=hex_bytes(document.get("coinbase", "0x" + "00" * 20), "coinbase", 20),
        prev_randao=hex_bytes(document.get("mixHash", "0x" + "00" * 32), "mixHash", 32),
        alloc=parse_alloc(document.get("alloc", {})),
    )


def validate_unused(document: dict[str, Any]) -> None:
    """Refuse values of proof of work, which no header of ours can show."""
    for field in ("difficulty", "nonce"):
        value = quantity(document, field, 0)
        if value != 0:
            raise InvalidGenesis(f"{field} is {value}, must be 0: blocks are final by certificate")


def parse_alloc(alloc: Any) -> Alloc:
    """Parse `alloc`, sorted by address."""
    if not isinstance(alloc, dict):
        raise InvalidGenesis("alloc must be an object of accounts by address")
    accounts = {}
    for text, fields in alloc.items():
        address = hex_bytes(text, "alloc address", 20)
        if address in accounts or not isinstance(fields, dict):
            raise InvalidGenesis(f"alloc: {text} stands twice or is not an object")
        accounts[address] = GenesisAccount(
            balance=quantity(fields, "balance", 0),
            nonce=quantity(fields, "nonce", 0, bits=64),
            code=hex_bytes(fields.get("code", "0x"), f"alloc {text} code"),
            storage=parse_storage(fields.get("storage", {}), text),
        )
    return tuple(sorted(accounts.items()))


def parse_storage(storage: Any, account: str) -> tuple[tuple[int, int], ...]:
    """Parse the storage of one account, sorted by slot."""
    if not isinstance(storage, dict):
        raise InvalidGenesis(f"alloc {account}: storage must be an object")
    words: dict[int, int] = {}
    for text, value in storage.items():
        slot = word(text, account)
        if slot in words:
            raise InvalidGenesis(f"alloc {account} storage: slot {text} stands twice")
        words[slot] = word(value, account)
    return tuple(sorted(words.items()))


def word(text: Any, account: str) -> int:
    """Parse a storage slot or value of up to 32 bytes."""
    digits = hex_digits(text, f"alloc {account} storage")
    if len(digits) > 64:
        raise InvalidGenesis(f"alloc {account} storage: {text[:80]} is longer than 32 bytes")
    return int(digits or "0", 16)


def quantity(document: dict[str, Any], field: str, default: int, bits: int = 256) -> int:
    """Parse a number: a JSON integer, or a decimal or 0x-hex string."""
    value = document.get(field, default)
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = int(value, 16 if value.startswith("0x") else 10)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise InvalidGenesis(
            f"{field}: {str(value)[:80]!r} is not a whole number of at most {bits} bits"
        )
    return value


def hex_bytes(text: Any, field: str, length: int | None = None) -> bytes:
    """Parse bytes as hex with or without 0x, of one length if that is given."""
    digits = hex_digits(text, field)
    if len(digits) % 2 and length is None:
        raise InvalidGenesis(f"{field}: {text[:80]!r} has an odd number of hex digits")
    if length is not None and len(digits) != 2 * length:
        raise InvalidGenesis(
            f"{field}: {text[:80]!r} has {len(digits)} hex digits, must have {2 * length}"
        )
    return bytes.fromhex(digits)


def hex_digits(text: Any, field: str) -> str:
    """Return the digits of hex with or without 0x."""
    if not isinstance(text, str) or not HEX.fullmatch(text):
        raise InvalidGenesis(f"{field}: {str(text)[:80]!r} is not hex")
    return text.removeprefix("0x")


def genesis_block(genesis: Genesis, committer: StateCommitter) -> tuple[BlockHeader, StateUpdate]:
    """Return the genesis header and its state, made by a committer over an empty store."""
    update = committer.commit(EMPTY_TRIE_ROOT, allocated(genesis.alloc))
    header = BlockHeader(
        block_number=0,
        gas_limit=genesis.parameters.block_gas_limit,
        timestamp=genesis.timestamp,
        coinbase=genesis.coinbase,
        state_root=update.root,
        extra_data=genesis.extra_data,
        mix_hash=genesis.prev_randao,
        nonce=ZERO_NONCE,
        base_fee_per_gas=genesis.base_fee,
        withdrawals_root=EMPTY_WITHDRAWALS_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
        requests_hash=EMPTY_REQUESTS_HASH,
    )
    return header, update


def allocated(alloc: Alloc, *, keeps_empty: bool = False) -> StateChanges:
    """Return `alloc` as the changes of an empty state; an empty account is none (EIP-161).

    geth keeps an empty account of a genesis file, which `keeps_empty` does.
    """
    accounts: dict[bytes, Account | None] = {}
    storage: dict[bytes, dict[int, int]] = {}
    codes: dict[bytes, bytes] = {}
    for address, entry in alloc:
        code_hash = EMPTY_CODE_HASH
        if entry.code:
            code_hash = keccak256(entry.code)
            codes[code_hash] = entry.code
        slots = {slot: value for slot, value in entry.storage if value}
        account = Account(entry.nonce, entry.balance, EMPTY_TRIE_ROOT, code_hash)
        if account == Account() and not slots and not keeps_empty:
            continue
        accounts[address] = account
        if slots:
            storage[address] = slots
    return StateChanges(accounts, storage, frozenset(), codes)
