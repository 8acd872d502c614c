"""The RLP decoder for bytes from outside: every canonical item, and nothing else."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from rlp.exceptions import RLPException

from cvm.evm.strict_rlp import MAX_DEPTH, BadRlp, decode_rlp

ITEMS = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=20
)


def depth_of(item: object) -> int:
    return 1 + max(map(depth_of, item), default=0) if isinstance(item, list) else 0


@settings(derandomize=True, max_examples=300, deadline=None)
@given(ITEMS.filter(lambda item: depth_of(item) <= MAX_DEPTH))
def test_what_was_encoded_comes_back(item: object) -> None:
    assert decode_rlp(bytes(rlp.encode(item))) == item


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.binary(max_size=40))
def test_it_takes_what_the_rlp_package_takes(data: bytes) -> None:
    try:
        expected = rlp.decode(data, strict=True)
    except RLPException:
        with pytest.raises(BadRlp):
            decode_rlp(data)
        return
    if depth_of(expected) <= MAX_DEPTH:
        assert decode_rlp(data) == expected
        assert rlp.encode(decode_rlp(data)) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no bytes", id="nothing"),
        pytest.param(b"\x01\x02", "2 items, must be one", id="two items"),
        pytest.param(b"\x81\x7f", "needs no prefix", id="a prefixed small byte"),
        pytest.param(b"\x83ab", "ends 1 bytes too late", id="a short string"),
        pytest.param(b"\xc2\x01", "ends 1 bytes too late", id="a short list"),
        pytest.param(b"\xc1\x82ab", "ends 2 bytes too late", id="an item past its list"),
        pytest.param(b"\xb8\x37" + b"a" * 55, "shortest form", id="a long form for 55 bytes"),
        pytest.param(b"\xb9\x00\x38" + b"a" * 56, "shortest form", id="a length with a zero"),
        pytest.param(b"\xbf\xff", "cut off", id="a length that is cut off"),
        pytest.param(b"\xf8", "cut off", id="a length that is not there"),
        pytest.param(b"\xc1\xf8\x40", "cut off", id="a length past its list"),
        pytest.param(b"\xbf" + b"\xff" * 8, "bytes too late", id="2**64 - 1 bytes"),
    ],
)
def test_anything_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadRlp, match=reason):
        decode_rlp(data)


def test_eight_levels_are_enough_and_nine_too_many() -> None:
    item: object = []
    for _ in range(MAX_DEPTH - 1):
        item = [item]
    assert decode_rlp(bytes(rlp.encode(item))) == item
    with pytest.raises(BadRlp, match="nested more than 8 deep"):
        decode_rlp(bytes(rlp.encode([item])))


def test_a_megabyte_of_tiny_items_is_no_trouble() -> None:
    items = decode_rlp(b"\xfa\x10\x00\x00" + b"\x01" * (1 << 20))
    assert len(items) == 1 << 20
