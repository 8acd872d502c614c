"""A signed transaction of type 0 to 4, as its bytes say it.

Every transaction is made by `transaction_decoding.decode_transaction` from bytes, so its fields and
its encoding cannot disagree.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from cvm.evm.faults import InvalidSignature
from cvm.evm.keccak import keccak256
from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.signatures import HALF_CURVE_ORDER, recover_address
from cvm.evm.value_class import value_class

LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE = range(5)
AUTHORIZATION_MAGIC = b"\x05"  # EIP-7702
UNPROTECTED_V = 27
PROTECTED_V = 35  # EIP-155

AccessList: TypeAlias = tuple[tuple[bytes, tuple[int, ...]], ...]
"""Addresses, each with the slots of its storage that are warm from the start (EIP-2930)."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """One signed wish to run the code of `address` (EIP-7702)."""

    chain_id: int
    address: bytes
    nonce: int
    y_parity: int
    r: int
    s: int

    def signer(self) -> bytes | None:
        """Return the account that signed, None where the signature does not count.

        EIP-7702 lets such a tuple stand in a valid transaction and skips it.
        """
        if self.s > HALF_CURVE_ORDER:
            return None
        signing_hash = authorization_hash(self.chain_id, self.address, self.nonce)
        return recover_address(signing_hash, self.y_parity, self.r, self.s)


def authorization_hash(chain_id: int, address: bytes, nonce: int) -> bytes:
    """Return what the signer of an authorization signs (EIP-7702)."""
    payload = encode_integer(chain_id) + encode_bytes(address) + encode_integer(nonce)
    return keccak256(AUTHORIZATION_MAGIC + encode_list(payload))


@value_class
class Transaction:
    """Fees in wei per gas; `to` is empty for a creation; legacy and type 1 have one price.

    `chain_id` is None where the signature names no chain (before EIP-155); `signature` is r and s.
    """

    raw: bytes = field(repr=False)
    hash: bytes
    type_id: int
    chain_id: int | None
    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas: int
    to: bytes
    value: int
    data: bytes
    y_parity: int
    signature: bytes
    access_list: AccessList = ()
    max_fee_per_blob_gas: int = 0
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()
    _signing_hash: bytes | None = field(default=None, repr=False, compare=False)
    _sender: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def r(self) -> int:
        """Return the first number of the signature."""
        return int.from_bytes(self.signature[:WORD_BYTES], "big")

    @property
    def s(self) -> int:
        """Return the second number of the signature."""
        return int.from_bytes(self.signature[WORD_BYTES:], "big")

    @property
    def gas_price(self) -> int:
        """Return the price of legacy and type 1; of the others, the fee cap."""
        return self.max_fee_per_gas

    @property
    def v(self) -> int:
        """Return the signature's v: 27 or 28, with a chain id 35 or more; y parity if typed."""
        if self.type_id:
            return self.y_parity
        if self.chain_id is None:
            return UNPROTECTED_V + self.y_parity
        return PROTECTED_V + 2 * self.chain_id + self.y_parity

    def encode(self) -> bytes:
        """Return the EIP-2718 bytes."""
        return self.raw

    def signing_hash(self) -> bytes:
        """Return what the sender signs: the encoding up to the signature (EIP-155, EIP-2718)."""
        if self._signing_hash is not None:
            return self._signing_hash
        payload = unsigned_payload(self.raw, 1 if self.type_id else 0, (self.v, self.r, self.s))
        if self.type_id:
            return keccak256(self.raw[:1] + encode_list(payload))
        if self.chain_id is not None:
            payload += encode_integer(self.chain_id) + b"\x80\x80"
        return keccak256(encode_list(payload))

    @property
    def sender(self) -> bytes:
        """Recover the sender once; raises `InvalidSignature`."""
        sender = self._sender
        if sender is None:
            sender = recover_address(self.signing_hash(), self.y_parity, self.r, self.s)
            if sender is None:
                raise InvalidSignature("the signature recovers to no address")
            keep_sender(self, sender)
        return sender


def keep_sender(tx: Transaction, sender: bytes) -> None:
    """Keep a sender that was recovered elsewhere from this transaction's own signature."""
    object.__setattr__(tx, "_sender", sender)


def unsigned_payload(raw: bytes, list_at: int, signature: tuple[int, int, int]) -> bytes:
    """Return the encoded fields before the signature, which is the end of a canonical list."""
    prefix = raw[list_at]
    start = list_at + (1 if prefix <= 0xF7 else prefix - 0xF6)
    end = len(raw)
    for number in signature:
        end -= 1 if number < 0x80 else 1 + (number.bit_length() + 7) // 8
    return raw[start:end]
