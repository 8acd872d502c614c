"""Parsers take what execution-apis names and refuse the rest with the value and the rule."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.rpc.call_parameters import parse_call
from node.rpc.eth_fee import parse_percentiles
from node.rpc.faults import BadArgument
from node.rpc.log_filter import parse_log_filter
from node.rpc.parameters import (
    BlockHash,
    BlockTag,
    parse_address,
    parse_block_number,
    parse_block_reference,
    parse_count,
    parse_data,
    parse_flag,
    parse_hash,
    parse_hashes,
    parse_storage_slot,
    parse_uint64,
    parse_uint256,
)

ADDRESS = "0x" + "aB" * 20
HASH = "0x" + "0c" * 32


@pytest.mark.parametrize(
    ("parse", "value", "expected"),
    [
        pytest.param(parse_data, "0x", b"", id="no-bytes"),
        pytest.param(parse_data, "0X0aFF", b"\x0a\xff", id="any-case"),
        pytest.param(parse_address, ADDRESS, b"\xab" * 20, id="address"),
        pytest.param(parse_hash, HASH, b"\x0c" * 32, id="hash"),
        pytest.param(parse_uint64, "0x0", 0, id="zero"),
        pytest.param(parse_uint64, "0xffffffffffffffff", 2**64 - 1, id="largest-uint64"),
        pytest.param(parse_uint256, "0x" + "f" * 64, 2**256 - 1, id="largest-uint256"),
        pytest.param(parse_storage_slot, "0x01", 1, id="slot-with-leading-zero"),
        pytest.param(parse_storage_slot, "0x" + "0" * 63 + "5", 5, id="slot-of-32-bytes"),
        pytest.param(parse_flag, False, False, id="flag"),
        pytest.param(parse_count, 4, 4, id="count-as-number"),
        pytest.param(parse_count, "0xa", 10, id="count-as-quantity"),
        pytest.param(parse_count, "10", 10, id="count-in-decimal-text"),
        pytest.param(parse_block_number, "finalized", BlockTag.FINALIZED, id="tag"),
        pytest.param(parse_block_reference, "0x10", 16, id="block-number"),
        pytest.param(parse_block_reference, HASH, BlockHash(b"\x0c" * 32), id="block-hash"),
        pytest.param(
            parse_block_reference,
            {"blockHash": HASH, "requireCanonical": True},
            BlockHash(b"\x0c" * 32, require_canonical=True),
            id="eip1898-hash",
        ),
        pytest.param(parse_block_reference, {"blockNumber": "0x2"}, 2, id="eip1898-number"),
        pytest.param(
            parse_block_reference, {"blockNumber": "latest"}, BlockTag.LATEST, id="eip1898-tag"
        ),
        pytest.param(parse_percentiles, [0, 12.5, 100], (0.0, 12.5, 100.0), id="percentiles"),
    ],
)
def test_takes(parse: Callable[[object], object], value: object, expected: object) -> None:
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("parse", "value", "reason"),
    [
        pytest.param(
            parse_data,
            7,
            "json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
            id="number",
        ),
        pytest.param(
            parse_data,
            True,
            "json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
            id="boolean",
        ),
        pytest.param(
            parse_data,
            [],
            "json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
            id="array",
        ),
        pytest.param(
            parse_data,
            "",
            "json: cannot unmarshal empty hex string into Go value of type hexutil.Bytes",
            id="empty",
        ),
        pytest.param(
            parse_data,
            "ff",
            "json: cannot unmarshal hex string without 0x prefix into Go value of type ",
            id="no-prefix",
        ),
        pytest.param(
            parse_data,
            "0xf",
            "json: cannot unmarshal hex string of odd length into Go value of type hexutil.Bytes",
            id="odd",
        ),
        pytest.param(
            parse_data,
            "0xzz",
            "json: cannot unmarshal invalid hex string into Go value of type hexutil.Bytes",
            id="not-hex",
        ),
        pytest.param(parse_data, "0x\uff11\uff11", "invalid hex string", id="wide-digits"),
        pytest.param(parse_data, "0x11\n", "invalid hex string", id="newline"),
        pytest.param(parse_data, "0x_1", "invalid hex string", id="underscore"),
        pytest.param(
            parse_address,
            "0x1234",
            "hex string has length 4, want 40 for common.Address",
            id="short-address",
        ),
        pytest.param(parse_address, HASH, "has length 64, want 40", id="long-address"),
        pytest.param(
            parse_hash, ADDRESS, "has length 40, want 64 for common.Hash", id="short-hash"
        ),
        pytest.param(
            parse_hashes,
            [HASH, 1],
            "json: cannot unmarshal non-string into Go value of type common.Hash",
            id="hash-list-of-numbers",
        ),
        pytest.param(parse_hashes, HASH, "is not an array", id="hash-for-hash-list"),
        pytest.param(
            parse_uint64,
            "0x",
            'json: cannot unmarshal hex string "0x" into Go value of type hexutil.Uint64',
            id="no-digits",
        ),
        pytest.param(
            parse_uint64,
            "0x01",
            "json: cannot unmarshal hex number with leading zero digits into Go value",
            id="leading-zero",
        ),
        pytest.param(parse_uint64, "0x1" + "0" * 16, "hex number > 64 bits", id="over-64-bits"),
        pytest.param(parse_uint256, "0x1" + "0" * 64, "hex number > 256 bits", id="over-256-bits"),
        pytest.param(parse_uint64, "0x-1", "invalid hex string", id="negative"),
        pytest.param(
            parse_uint64,
            10**100,
            "json: cannot unmarshal non-string into Go value of type hexutil.Uint64",
            id="huge-int",
        ),
        pytest.param(
            parse_storage_slot, "0x" + "0" * 65, "too long (want at most 32 bytes)", id="long-slot"
        ),
        pytest.param(
            parse_flag,
            "true",
            "json: cannot unmarshal string into Go value of type bool",
            id="text-for-flag",
        ),
        pytest.param(
            parse_flag,
            1,
            "json: cannot unmarshal number into Go value of type bool",
            id="number-for-flag",
        ),
        pytest.param(parse_count, -1, "-1 is outside 0 to 2**64 - 1", id="negative-count"),
        pytest.param(
            parse_count,
            1.5,
            "json: cannot unmarshal non-string into Go value of type hexutil.Uint64",
            id="fraction-for-count",
        ),
        pytest.param(
            parse_count,
            True,
            "json: cannot unmarshal non-string into Go value of type hexutil.Uint64",
            id="boolean-for-count",
        ),
        pytest.param(parse_block_number, "newest", "hex string without 0x prefix", id="bad-tag"),
        pytest.param(
            parse_block_number,
            "0x8000000000000000",
            "block number larger than int64",
            id="block-over-int64",
        ),
        pytest.param(parse_block_reference, {}, "wants blockHash or blockNumber", id="no-block"),
        pytest.param(
            parse_block_reference,
            {"blockHash": HASH, "blockNumber": "0x1"},
            "cannot specify both blockHash and blockNumber",
            id="both-blocks",
        ),
        pytest.param(
            parse_block_reference,
            {"blockHash": HASH, "requireCanonical": "yes"},
            "json: cannot unmarshal string into Go value of type bool",
            id="bad-canonical-flag",
        ),
        pytest.param(parse_percentiles, [50, 40], "#0:50 >= #1:40", id="falling-percentiles"),
        pytest.param(
            parse_percentiles, [101], "invalid reward percentile: 101", id="percentile-over-100"
        ),
        pytest.param(parse_percentiles, ["1"], 'percentile: "1"', id="text-percentile"),
        pytest.param(parse_percentiles, [True], "percentile: true", id="boolean-percentile"),
        pytest.param(
            parse_percentiles, [0] * 101, "101 percentiles are over", id="many-percentiles"
        ),
        pytest.param(parse_call, "0x", '"0x" is not an object', id="text-for-call"),
        pytest.param(
            parse_call,
            {"to": 5},
            "to: json: cannot unmarshal non-string into Go value of type common.Address",
            id="call-to",
        ),
        pytest.param(
            parse_call,
            {"gas": "0x0a"},
            "gas: json: cannot unmarshal hex number with leading",
            id="call-gas",
        ),
        pytest.param(
            parse_call,
            {"data": "0x01", "input": "0x02"},
            'both "data" and "input" are set and not equal',
            id="data-against-input",
        ),
        pytest.param(
            parse_call,
            {"gasPrice": "0x1", "maxFeePerGas": "0x1"},
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            id="two-kinds-of-price",
        ),
        pytest.param(
            parse_call,
            {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
            "maxFeePerGas (1) < maxPriorityFeePerGas (2)",
            id="tip-over-cap",
        ),
        pytest.param(
            parse_call,
            {"authorizationList": [{}]},
            "authorizationList: an authorization wants an address",
            id="authorizations",
        ),
        pytest.param(parse_call, {"blobs": ["0x"]}, "blobs is not available in calls", id="blobs"),
        pytest.param(
            parse_call, {"accessList": [{}]}, "accessList: an access list entry wants", id="access"
        ),
        pytest.param(
            parse_call,
            {"accessList": [{"address": ADDRESS, "storageKeys": ["0x1"]}]},
            "accessList: storageKeys: json: cannot unmarshal hex string of odd",
            id="access-list-key",
        ),
        pytest.param(
            parse_log_filter,
            {"blockHash": HASH, "fromBlock": "0x1"},
            "cannot specify both BlockHash and FromBlock/ToBlock",
            id="hash-and-range",
        ),
        pytest.param(
            parse_log_filter, {"topics": [None] * 5}, "exceed max topics: 5", id="five-topics"
        ),
        pytest.param(
            parse_log_filter,
            {"topics": [[HASH] * 1001]},
            "exceed max topics: 1001",
            id="many-alternatives",
        ),
        pytest.param(
            parse_log_filter,
            {"address": [ADDRESS] * 1001},
            "exceed max addresses: 1001",
            id="many-addresses",
        ),
        pytest.param(parse_log_filter, {"topics": HASH}, "topics: want an array", id="topics-text"),
        pytest.param(
            parse_log_filter,
            {"address": {}},
            "json: cannot unmarshal non-string into Go value of type common.Address",
            id="address",
        ),
    ],
)
def test_refuses_with_value_and_rule(
    parse: Callable[[object], object], value: object, reason: str
) -> None:
    with pytest.raises(BadArgument) as refusal:
        parse(value)
    assert reason in str(refusal.value)


def test_shows_no_more_than_a_line_of_a_long_value() -> None:
    with pytest.raises(BadArgument) as refusal:
        parse_data("0x" + "z" * 1_000_000)
    assert len(str(refusal.value)) < 120


def test_a_call_leaves_out_what_its_caller_left_out() -> None:
    call = parse_call({"to": ADDRESS, "data": "0x01", "unknown": 1, "value": None})
    assert (call.sender, call.to, call.data) == (bytes(20), b"\xab" * 20, b"\x01")
    assert (call.gas, call.gas_price, call.value, call.access_list) == (None, None, 0, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["to", "data", "blockHash", "topics", "address", "accessList", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(value=JSON)
def test_every_parser_answers_any_json_with_a_value_or_with_bad_argument(value: object) -> None:
    for parse in (
        parse_data,
        parse_uint64,
        parse_storage_slot,
        parse_count,
        parse_block_reference,
        parse_percentiles,
        parse_call,
        parse_log_filter,
    ):
        with contextlib.suppress(BadArgument):
            parse(value)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(number=st.integers(0, 2**256 - 1))
def test_a_quantity_is_read_as_it_was_written(number: int) -> None:
    assert parse_uint256(hex(number)) == number
