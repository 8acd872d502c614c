"""A private key of secp256k1 as a value: what it signs for, and what it signs."""

from dataclasses import dataclass, field

from cvm.evm.signatures import CURVE_ORDER, address_of_key, sign_hash

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """32 bytes between 0 and the order of the curve, never shown; ValueError for others."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a private key has {KEY_BYTES} bytes, not {len(self.secret)}")
        if not 0 < int.from_bytes(self.secret, "big") < CURVE_ORDER:
            raise ValueError("a private key is between 0 and the order of secp256k1")

    @property
    def address(self) -> bytes:
        """Return the 20 bytes of the account that it signs for."""
        return address_of_key(self.secret)

    def sign(self, message_hash: bytes) -> bytes:
        """Return 65 bytes r || s || v of a hash, v 0 or 1, s low (EIP-2); RFC 6979's nonce."""
        parity, r, s = sign_hash(message_hash, self.secret)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))

    def to_bytes(self) -> bytes:
        """Return the secret."""
        return self.secret

    def to_hex(self) -> str:
        """Return the secret as 0x and 64 hex digits."""
        return f"0x{self.secret.hex()}"
