"""An account as the leaf of the state trie holds it (Yellow Paper 4.1), to and from RLP."""

from cvm.evm.rlp_encoding import STRING_HEADERS
from cvm.evm.state_reader import Account
from cvm.evm.trie_nodes import raw_items, string_of

NUMBERS = tuple(b"\x80" if number == 0 else bytes((number,)) for number in range(128))
"""The RLP of small numbers."""
ROOT_FROM_END = slice(-66, -33)
"""Where an account's RLP holds 0xa0 and its storage root: the last two fields have one length."""


def encode_number(number: int) -> bytes:
    """Return the RLP of a number below 2**256."""
    if number < 128:
        return NUMBERS[number]
    length = (number.bit_length() + 7) >> 3
    return STRING_HEADERS[length] + number.to_bytes(length, "big")


def encode_account(account: Account, storage_root: bytes) -> bytes:
    """Return the RLP of an account with another storage root than the one it carries."""
    payload = b"".join(
        (
            encode_number(account.nonce),
            encode_number(account.balance),
            b"\xa0",
            storage_root,
            b"\xa0",
            account.code_hash,
        )
    )
    return b"\xf8" + bytes((len(payload),)) + payload


def decode_account(data: bytes) -> Account:
    """Return the account of an RLP that `encode_account` wrote."""
    nonce, balance, storage_root, code_hash = map(string_of, raw_items(data[2:]))
    return Account(
        int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage_root, code_hash
    )
