"""Makes signed transactions from fields: for wallets, the command line and tests."""

from dataclasses import dataclass

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.signatures import sign_hash
from cvm.evm.transaction import (
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    PROTECTED_V,
    SET_CODE,
    UNPROTECTED_V,
    AccessList,
    Authorization,
    Transaction,
    authorization_hash,
)
from cvm.evm.transaction_decoding import decode_transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTransaction:
    """The fields that a sender signs; `max_fee_per_gas` is the gas price of types 0 and 1.

    `chain_id` None makes a legacy transaction that any chain takes (before EIP-155).
    """

    type_id: int = DYNAMIC_FEE
    chain_id: int | None
    nonce: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int = 0
    gas: int = 21_000
    to: bytes
    value: int = 0
    data: bytes = b""
    access_list: AccessList = ()
    max_fee_per_blob_gas: int = 0
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()

    def signing_hash(self) -> bytes:
        """Return what the sender signs (EIP-155, EIP-2718)."""
        payload = unsigned_fields(self)
        if self.type_id != LEGACY:
            return keccak256(bytes((self.type_id,)) + encode_list(payload))
        if self.chain_id is not None:
            payload += encode_integer(self.chain_id) + b"\x80\x80"
        return keccak256(encode_list(payload))

    def sign(self, key: bytes) -> Transaction:
        """Return the transaction signed with a private key of 32 bytes."""
        return self.with_signature(*sign_hash(self.signing_hash(), key))

    def with_signature(self, y_parity: int, r: int, s: int) -> Transaction:
        """Return the transaction with a signature made elsewhere; raises what decoding raises."""
        v = y_parity
        if self.type_id == LEGACY:
            offset = UNPROTECTED_V if self.chain_id is None else PROTECTED_V + 2 * self.chain_id
            v = offset + y_parity
        signature = encode_integer(v) + encode_integer(r) + encode_integer(s)
        prefix = b"" if self.type_id == LEGACY else bytes((self.type_id,))
        return decode_transaction(prefix + encode_list(unsigned_fields(self) + signature))


def unsigned_fields(tx: UnsignedTransaction) -> bytes:
    """Return the encoded fields before the signature, in the order of their type."""
    fees = encode_integer(tx.max_fee_per_gas)
    if tx.type_id >= DYNAMIC_FEE:
        fees = encode_integer(tx.max_priority_fee_per_gas) + fees
    call = encode_integer(tx.gas) + encode_bytes(tx.to) + encode_integer(tx.value)
    payload = encode_integer(tx.nonce) + fees + call + encode_bytes(tx.data)
    if tx.type_id == LEGACY:
        return payload
    payload = encode_integer(tx.chain_id or 0) + payload + encode_access_list(tx.access_list)
    if tx.type_id == BLOB:
        hashes = b"".join(encode_bytes(item) for item in tx.blob_versioned_hashes)
        payload += encode_integer(tx.max_fee_per_blob_gas) + encode_list(hashes)
    if tx.type_id == SET_CODE:
        payload += encode_list(b"".join(map(encode_authorization, tx.authorization_list)))
    return payload


def encode_access_list(access_list: AccessList) -> bytes:
    """Return the RLP of an EIP-2930 access list."""
    entries = []
    for address, slots in access_list:
        keys = b"".join(encode_bytes(slot.to_bytes(32, "big")) for slot in slots)
        entries.append(encode_list(encode_bytes(address) + encode_list(keys)))
    return encode_list(b"".join(entries))


def encode_authorization(item: Authorization) -> bytes:
    """Return the RLP of an EIP-7702 authorization."""
    rest = (item.nonce, item.y_parity, item.r, item.s)
    payload = encode_integer(item.chain_id) + encode_bytes(item.address)
    return encode_list(payload + b"".join(map(encode_integer, rest)))


def sign_authorization(key: bytes, chain_id: int, address: bytes, nonce: int) -> Authorization:
    """Return an authorization for the account of a private key (EIP-7702)."""
    signature = sign_hash(authorization_hash(chain_id, address, nonce), key)
    return Authorization(chain_id, address, nonce, *signature)
