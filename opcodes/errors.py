"""The model errors that a contract can catch: ok = 0 and a 4-byte selector in RETURNDATA."""

from eth_hash.auto import keccak


def selector(signature: str) -> bytes:
    """Return the Solidity selector of an error signature."""
    return bytes(keccak(signature.encode())[:4])


MODEL_NOT_ACTIVE = selector("ModelNotActive()")
BAD_INPUT_SIZE = selector("BadInputSize()")
INPUT_OUT_OF_RANGE = selector("InputOutOfRange()")
