"""Headers of every fork: their exact bytes and hash, and bytes that are none."""

from dataclasses import asdict, replace
from typing import Any

import pytest
import rlp
from eth.rlp.headers import BlockHeader as FrontierHeader
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.shanghai.blocks import ShanghaiBlockHeader
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.strict_rlp import BadRlp

FRONTIER = BlockHeader(
    parent_hash=b"\1" * 32,
    uncles_hash=b"\2" * 32,
    coinbase=b"\3" * 20,
    state_root=b"\4" * 32,
    transaction_root=b"\5" * 32,
    receipt_root=b"\6" * 32,
    bloom=1 << 2_047 | 5,
    difficulty=2**255,
    block_number=128,
    gas_limit=2**25,
    gas_used=0,
    timestamp=1_700_000_000,
    extra_data=b"cvm",
    mix_hash=b"\7" * 32,
    nonce=b"\x08" * 8,
)
LONDON = replace(FRONTIER, base_fee_per_gas=7)
SHANGHAI = replace(LONDON, withdrawals_root=b"\x09" * 32)
CANCUN = replace(
    SHANGHAI, blob_gas_used=131_072, excess_blob_gas=0, parent_beacon_block_root=b"\x0a" * 32
)
PRAGUE = replace(CANCUN, requests_hash=b"\x0b" * 32)
HEADERS = {
    "Frontier": (FRONTIER, FrontierHeader),
    "London": (LONDON, LondonBlockHeader),
    "Shanghai": (SHANGHAI, ShanghaiBlockHeader),
    "Cancun": (CANCUN, CancunBlockHeader),
    "Prague": (PRAGUE, PragueBlockHeader),
}
each_fork = pytest.mark.parametrize(("header", "py_evm_class"), HEADERS.values(), ids=HEADERS)


@each_fork
def test_bytes_and_hash_are_those_of_py_evm(header: BlockHeader, py_evm_class: Any) -> None:
    fields = {
        name: value
        for name, value in asdict(header).items()
        if value is not None and not name.startswith("_")
    }
    theirs = py_evm_class(**fields)
    assert header.encode() == rlp.encode(theirs)
    assert header.hash == theirs.hash


@each_fork
def test_a_header_comes_back(header: BlockHeader, py_evm_class: Any) -> None:
    decoded = decode_header(header.encode())
    assert decoded == header
    assert decoded.hash == header.hash


def test_a_changed_copy_has_its_own_bytes() -> None:
    before = PRAGUE.hash
    copy = replace(PRAGUE, gas_used=1)
    assert copy.hash != before
    assert decode_header(copy.encode()).gas_used == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"withdrawals_root": bytes(32)}, id="London's left out"),
        pytest.param({"base_fee_per_gas": 1, "blob_gas_used": 1}, id="Shanghai's left out"),
        pytest.param(
            {"base_fee_per_gas": 1, "withdrawals_root": bytes(32), "blob_gas_used": 1},
            id="half of Cancun's",
        ),
    ],
)
def test_a_header_has_the_fields_of_one_fork(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the fields of one fork and of every fork before it"):
        replace(FRONTIER, **fields).encode()


def changed(place: int, value: object) -> bytes:
    """Return the RLP of a Prague header in which one field is something else."""
    fields = rlp.decode(PRAGUE.encode())
    fields[place] = value
    return bytes(rlp.encode(fields))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no bytes", id="no bytes"),
        pytest.param(b"\x80", "a header is a list", id="a string"),
        pytest.param(PRAGUE.encode() + b"\0", "1 bytes after the end", id="a byte too many"),
        pytest.param(rlp.encode([b""] * 14), "has 14 fields", id="14 fields"),
        pytest.param(rlp.encode([b""] * 18), "has 18 fields", id="18 fields"),
        pytest.param(rlp.encode([b""] * 22), "has 22 fields", id="22 fields"),
        pytest.param(changed(0, bytes(31)), "too short for parent_hash", id="parent hash"),
        pytest.param(changed(2, b""), "too short for coinbase", id="coinbase"),
        pytest.param(changed(6, bytes(257)), "too long for bloom", id="bloom"),
        pytest.param(changed(7, 2**256), "difficulty has 257 bits", id="difficulty"),
        pytest.param(changed(8, 2**64), "block_number has 65 bits", id="number"),
        pytest.param(changed(10, b"\0"), "leading zero bytes. for gas_used", id="zero byte"),
        pytest.param(changed(12, [b"cvm"]), "expected input string", id="extra data as a list"),
        pytest.param(changed(14, bytes(9)), "too long for nonce", id="nonce"),
        pytest.param(changed(15, 2**256), "base_fee_per_gas has 257 bits", id="base fee"),
        pytest.param(changed(16, b""), "too short for withdrawals_root", id="withdrawals"),
        pytest.param(changed(18, 2**64), "excess_blob_gas has 65 bits", id="excess"),
        pytest.param(changed(20, bytes(33)), "too long for requests_hash", id="requests"),
    ],
)
def test_malformed_bytes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadRlp, match=reason):
        decode_header(data)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.sampled_from([header.encode() for header, _class in HEADERS.values()]),
    st.integers(min_value=0),
    st.integers(min_value=1, max_value=255),
)
def test_one_changed_byte_is_another_header_or_none(data: bytes, place: int, change: int) -> None:
    hostile = bytearray(data)
    hostile[place % len(data)] ^= change
    try:
        header = decode_header(bytes(hostile))
    except BadRlp:
        return
    assert replace(header).encode() == bytes(hostile)
