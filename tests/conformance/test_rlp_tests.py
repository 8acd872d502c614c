"""The RLP tests of ethereum/tests, through the decoder of lists and through the encoder."""

from collections.abc import Callable
from typing import Any

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import integer, split_items
from cvm.evm.strict_rlp import BadRlp, Item, decode_rlp
from tests.conformance.archives import json_files


def encoded(value: Any) -> bytes:
    """Encode a value as the suite writes it: text, numbers, `#` and digits, lists."""
    if isinstance(value, list):
        return encode_list(b"".join(encoded(item) for item in value))
    if isinstance(value, str) and not value.startswith("#"):
        return encode_bytes(value.encode("latin-1"))
    return encode_integer(int(str(value).removeprefix("#")))


def decoded(value: Any, payload: bytes, *, is_list: bool) -> Any:
    """Decode a payload into the form of the expected value."""
    if isinstance(value, list):
        assert is_list
        items, lists = split_items(payload, 0, len(payload))
        assert len(items) == len(value)
        return [
            decoded(wanted, item, is_list=place in lists)
            for place, (wanted, item) in enumerate(zip(value, items, strict=True))
        ]
    assert not is_list
    if isinstance(value, str) and not value.startswith("#"):
        return payload.decode("latin-1")
    number = integer("a number", payload, 64)
    return f"#{number}" if isinstance(value, str) else number


def split_wholly(data: bytes, depth: int = 8) -> None:
    """Split a list and every list in it; raises `BadRlp`."""
    items, lists = split_items(data, 0, len(data))
    for place in lists if depth else ():
        split_wholly(items[place], depth - 1)


def refuses(decode: Callable[[bytes], object], data: bytes) -> bool:
    try:
        decode(data)
    except BadRlp:
        return True
    return False


def bytes_of(test: dict[str, Any]) -> bytes:
    return bytes.fromhex(test["out"].removeprefix("0x"))


def test_valid_rlp_is_decoded_and_encoded() -> None:
    tests = json_files("RLPTests")["RLPTests/rlptest.json"]
    for name, test in tests.items():
        data = bytes_of(test)
        items, lists = split_items(data, 0, len(data))
        assert len(items) == 1, name
        assert decoded(test["in"], items[0], is_list=lists == [0]) == test["in"], name
        assert encoded(test["in"]) == data, name
    assert len(tests) == 28


def test_invalid_rlp_is_refused() -> None:
    tests = json_files("RLPTests")["RLPTests/invalidRLPTest.json"]
    for name, test in tests.items():
        data = bytes_of(test)
        assert refuses(decode_rlp, data), name
        assert refuses(split_wholly, data) or data == b"", name  # a list of no items is a list
    assert len(tests) == 26


def test_the_random_example_is_valid() -> None:
    (test,) = json_files("RLPTests")["RLPTests/RandomRLPTests/example.json"].values()
    data = bytes_of(test)
    split_wholly(data)
    assert written(decode_rlp(data)) == data


def written(item: Item) -> bytes:
    """Encode what `decode_rlp` gives."""
    if isinstance(item, bytes):
        return encode_bytes(item)
    return encode_list(b"".join(written(part) for part in item))
