"""The address of a contract that CREATE makes."""

from cvm.evm.keccak import keccak256


def creation_address(creator: bytes, nonce: int) -> bytes:
    """Return the last 20 bytes of keccak256(rlp([creator, nonce])) (Yellow Paper, 88)."""
    if nonce == 0:
        number = b"\x80"
    elif nonce < 0x80:
        number = bytes((nonce,))
    else:
        digits = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
        number = bytes((0x80 + len(digits),)) + digits
    payload = b"\x94" + creator + number
    return keccak256(bytes((0xC0 + len(payload),)) + payload)[12:]
