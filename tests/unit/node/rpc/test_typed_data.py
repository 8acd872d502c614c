"""EIP-712 digests: the specification's example, eth-account's on drawn documents, hostile JSON."""

import json
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.keccak import keccak256
from node.rpc.faults import BadArgument, RpcError
from node.rpc.typed_data import parse_typed_data

MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
"""The example of EIP-712 (assets/eip-712/Example.js), with the digest that it asserts."""


def digest_of(document: dict[str, Any]) -> bytes:
    """Return eth-account's digest."""
    message = encode_typed_data(full_message=document)
    return keccak256(b"\x19" + message.version + message.header + message.body)


@pytest.mark.parametrize("form", [json.dumps, dict], ids=["as text", "as an object"])
def test_the_example_of_the_eip_has_its_digest(form: Any) -> None:
    assert parse_typed_data(form(MAIL)).hex() == (
        "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    )


def test_a_domain_without_its_type_has_the_fields_of_the_eip_in_order() -> None:
    types = {name: members for name, members in MAIL["types"].items() if name != "EIP712Domain"}
    domain = dict(reversed(MAIL["domain"].items()))
    assert parse_typed_data(MAIL | {"types": types, "domain": domain}) == parse_typed_data(MAIL)


def test_the_domain_alone_can_be_signed() -> None:
    separator = "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"  # Example.js
    document = MAIL | {"primaryType": "EIP712Domain"}
    assert parse_typed_data(document) == keccak256(b"\x19\x01" + bytes.fromhex(separator))


ATOMS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    "bytes": st.binary(max_size=40).map(lambda data: f"0x{data.hex()}"),
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20).map(lambda data: f"0x{data.hex()}"),
    "bytes4": st.binary(min_size=4, max_size=4).map(lambda data: f"0x{data.hex()}"),
    "bytes32": st.binary(min_size=32, max_size=32).map(lambda data: f"0x{data.hex()}"),
    "uint8": st.integers(0, 255),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a struct of atoms, of lists of them, and of lists of another struct of atoms."""
    inner = draw(st.lists(st.sampled_from(sorted(ATOMS)), min_size=1, max_size=4))
    outer = draw(st.lists(st.sampled_from(sorted(ATOMS)), min_size=1, max_size=4))
    inners = st.fixed_dictionaries({f"m{i}": ATOMS[kind] for i, kind in enumerate(inner)})
    message: dict[str, Any] = {"one": draw(inners), "many": draw(st.lists(inners, max_size=3))}
    members = [{"name": "one", "type": "Inner"}, {"name": "many", "type": "Inner[]"}]
    for i, kind in enumerate(outer):
        values = st.lists(ATOMS[kind], min_size=2, max_size=2)
        message[f"l{i}"] = draw(st.lists(values, max_size=3))
        members.append({"name": f"l{i}", "type": f"{kind}[2][]"})
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}],
            "Outer": members,
            "Inner": [{"name": f"m{i}", "type": kind} for i, kind in enumerate(inner)],
        },
        "primaryType": "Outer",
        "domain": {"name": draw(ATOMS["string"])},
        "message": message,
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(documents())
def test_digests_are_those_of_eth_account(document: dict[str, Any]) -> None:
    assert parse_typed_data(document) == digest_of(document)


def note(kind: str, value: object) -> dict[str, Any]:
    """Return a document with one member."""
    types = {"Note": [{"name": "it", "type": kind}]}
    return {"types": types, "primaryType": "Note", "domain": {}, "message": {"it": value}}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(note("uint256", "12"), note("uint256", 12), id="decimal text"),
        pytest.param(note("uint256", "0xc"), note("uint256", 12), id="hex text"),
        pytest.param(note("int8", "-1"), note("int256", -1), id="negative"),
    ],
)
def test_numbers_may_be_text(left: dict[str, Any], right: dict[str, Any]) -> None:
    types = note("int256", 0)["types"]
    assert parse_typed_data(left | {"types": types}) == parse_typed_data(right | {"types": types})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param(5, "typed data is not an object", id="a number"),
        pytest.param({}, "domain is not an object", id="nothing"),
        pytest.param(MAIL | {"types": {"Mail": 5}}, "type Mail is not a list", id="types"),
        pytest.param(MAIL | {"types": {"Mail": [{}]}}, "no name or no type", id="a member"),
        pytest.param(MAIL | {"primaryType": "Post"}, "there is no type Post", id="primary"),
        pytest.param(MAIL | {"message": {"from": None}}, "Mail has no to", id="missing"),
        pytest.param(note("uint8", 256), "256 does not fit uint8", id="too large"),
        pytest.param(note("uint8", -1), "-1 does not fit uint8", id="negative"),
        pytest.param(note("uint7", 1), "1 is no value of uint7", id="no such width"),
        pytest.param(note("uint8", True), "true is no value of uint8", id="a bool"),
        pytest.param(note("uint8", 1.5), "1.5 is no value of uint8", id="a float"),
        pytest.param(note("uint8", "9" * 100), "is no value of uint8", id="many digits"),
        pytest.param(note("bytes4", "0x00"), "is no value of bytes4", id="short bytes"),
        pytest.param(note("bytes33", "0x00"), "is no value of bytes33", id="no such bytes"),
        pytest.param(note("address", "0x00"), "is no value of address", id="short address"),
        pytest.param(note("bool", 1), "1 is no value of bool", id="a number for a bool"),
        pytest.param(note("bytes", "0x0"), "is no value of bytes", id="half a byte"),
        pytest.param(note("string", 5), "5 is no value of string", id="a number for text"),
        pytest.param(note("string[2]", ["a"]), "string[2] has 1 items", id="a short list"),
        pytest.param(note("string[]", "a"), "string[] is not a list", id="no list"),
        pytest.param(note("Nothing", {}), "an object is no value of Nothing", id="no such struct"),
    ],
)
def test_what_is_no_typed_data_is_refused_with_the_rule(document: object, words: str) -> None:
    with pytest.raises(BadArgument) as refused:
        parse_typed_data(document)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "Expecting", id="cut short"),
        pytest.param("[" * 100_000, "nested deeper than 64 levels", id="a bomb"),
    ],
)
def test_text_that_is_not_json_is_refused(text: str, words: str) -> None:
    with pytest.raises(RpcError, match=words):
        parse_typed_data(text)


def test_types_that_name_each_other_end_where_the_message_is_null() -> None:
    document = note("Note", {"it": {"it": None}})
    assert len(parse_typed_data(document)) == 32
