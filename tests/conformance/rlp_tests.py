"""RLP tests: which bytes are an item, through the decoders and through the encoder."""

from collections.abc import Callable
from typing import Any

from cvm.evm.message_rules import Interpreter
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import integer, split_items
from cvm.evm.strict_rlp import BadRlp, Item, decode_rlp
from tests.conformance.outcomes import Outcome, outcome


def judge_rlp_tests(
    path: str, document: dict[str, Any], interpreter: type[Interpreter]
) -> list[Outcome]:
    """Judge the items of one file: valid ones, invalid ones, or bytes without a value."""
    return [outcome(f"{path}::{name}", fault_of(test)) for name, test in document.items()]


def fault_of(test: dict[str, Any]) -> str | None:
    """Return what is wrong with our reading of some bytes, or None."""
    data = bytes.fromhex(test["out"].removeprefix("0x"))
    if test["in"] == "INVALID":
        if not refuses(decode_rlp, data):
            return "decode_rlp takes it"
        is_taken = data != b"" and not refuses(split_wholly, data)  # a list of no items is a list
        return "split_items takes it" if is_taken else None
    if test["in"] == "VALID":
        split_wholly(data)
        return None if written(decode_rlp(data)) == data else "it is encoded differently"
    items, lists = split_items(data, 0, len(data))
    if len(items) != 1 or decoded(test["in"], items[0], is_list=lists == [0]) != test["in"]:
        return f"it is not read as {test['in']}"
    return None if encoded(test["in"]) == data else "it is encoded differently"


def encoded(value: Any) -> bytes:
    """Encode a value as the suite writes it: text, numbers, `#` and digits, lists."""
    if isinstance(value, list):
        return encode_list(b"".join(encoded(item) for item in value))
    if isinstance(value, str) and not value.startswith("#"):
        return encode_bytes(value.encode("latin-1"))
    return encode_integer(int(str(value).removeprefix("#")))


def decoded(value: Any, payload: bytes, *, is_list: bool) -> Any:
    """Decode a payload into the form of the expected value, None where it has another form."""
    if isinstance(value, list):
        items, lists = split_items(payload, 0, len(payload))
        if not is_list or len(items) != len(value):
            return None
        return [
            decoded(wanted, item, is_list=place in lists)
            for place, (wanted, item) in enumerate(zip(value, items, strict=True))
        ]
    if is_list:
        return None
    if isinstance(value, str) and not value.startswith("#"):
        return payload.decode("latin-1")
    read = integer("a number", payload, 64)
    return f"#{read}" if isinstance(value, str) else read


def split_wholly(data: bytes, depth: int = 8) -> None:
    """Split a list and every list in it; raises `BadRlp`."""
    items, lists = split_items(data, 0, len(data))
    for place in lists if depth else ():
        split_wholly(items[place], depth - 1)


def refuses(decode: Callable[[bytes], object], data: bytes) -> bool:
    """Tell whether a decoder raises `BadRlp`."""
    try:
        decode(data)
    except BadRlp:
        return True
    return False


def written(item: Item) -> bytes:
    """Encode what `decode_rlp` gives."""
    if isinstance(item, bytes):
        return encode_bytes(item)
    return encode_list(b"".join(written(part) for part in item))
