"""Addresses with capitals that find a typing error (EIP-55), as geth's messages write them."""

from cvm.evm.keccak import keccak256


def checksum_address(address: bytes) -> str:
    """Return an address with EIP-55's capitals."""
    digits = address.hex()
    nibbles = keccak256(digits.encode()).hex()
    pairs = zip(digits, nibbles[: len(digits)], strict=True)
    return "0x" + "".join(digit.upper() if nibble >= "8" else digit for digit, nibble in pairs)
