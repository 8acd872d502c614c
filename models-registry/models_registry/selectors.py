"""What names functions, errors and events in calldata and logs (Solidity's ABI)."""

from cvm.evm.keccak import keccak256


def selector(signature: str) -> bytes:
    """Return the four bytes that name a function or an error in calldata."""
    return keccak256(signature.encode())[:4]


def topic(signature: str) -> bytes:
    """Return the first topic of an event."""
    return keccak256(signature.encode())
