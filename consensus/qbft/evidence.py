"""Proof that a validator said two things in one round: what slashes it (PROTOCOL section 4)."""

from dataclasses import dataclass

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signed payloads of one signer: same code, height and round, different digests.

    `first` and `second` are the RLP of the payloads, in ascending order.
    """

    code: int
    signer: bytes
    height: int
    round: int
    first: bytes
    first_signature: bytes
    second: bytes
    second_signature: bytes

    def encode(self) -> bytes:
        """Return rlp[code, payload A, signature A, payload B, signature B]."""
        parts = (self.first, self.first_signature, self.second, self.second_signature)
        return encode_list(encode_integer(self.code) + b"".join(map(encode_bytes, parts)))
