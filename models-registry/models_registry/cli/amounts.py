"""Amounts and addresses, as people write and read them."""

import re

from eth_utils.address import to_checksum_address

from models_registry.cli.files import CannotRead

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z", re.ASCII)


def ether_text(wei: int) -> str:
    """Return an amount as people read it: `0.00011 ether`, with as many digits as it has."""
    whole, rest = divmod(wei, 10**18)
    digits = f"{rest:018d}".rstrip("0")
    return f"{whole:,}.{digits} ether" if digits else f"{whole:,} ether"


def parse_address(text: str) -> bytes:
    """Return the 20 bytes of an address; raises `CannotRead`.

    Letters in both cases are a checksum (EIP-55), and have to be right.
    """
    if not _ADDRESS.match(text):
        raise CannotRead(f"{text!r} is not an address: 0x and 40 hex digits")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and to_checksum_address(text) != text:
        raise CannotRead(f"{text!r} is mistyped: its capitals are not those of EIP-55's checksum")
    return bytes.fromhex(digits)
