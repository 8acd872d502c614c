"""The genesis file: parsed strictly, and the block that it stands for."""

import json
from typing import Any

import pytest
import rlp

from consensus.faults import InvalidGenesis
from consensus.genesis import Genesis, genesis_block, parse_genesis
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters, parse_parameters
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import StateCommitter

VALIDATOR = bytes(range(1, 21))
ACCOUNT = bytes(range(101, 121))
TIMESTAMP = 1_800_000_000
CONTRACT = "0x" + "cc" * 20
GENESIS_STATE_ROOT = "b8a98470f186d217dc2303451aeed0a8441e523a9e5e8a53ec6623c5de7e13f8"
GENESIS_HASH = "8406f7d8d953012e603d6a8ecfdae6137840380c5b32095243f0984717ecb342"


def document(**fields: Any) -> dict[str, Any]:
    parameters = ChainParameters(chain_id=7)
    return new_genesis(parameters, [VALIDATOR], {ACCOUNT: 10**18}, TIMESTAMP) | fields


def config(**fields: Any) -> dict[str, Any]:
    return document(config={"chainId": 7, "cvm": fields})


def account(**fields: Any) -> dict[str, Any]:
    return document(alloc={CONTRACT: fields})


def nothing(_node_hash: bytes) -> None:
    return None


def genesis_header(file: dict[str, Any]) -> BlockHeader:
    return genesis_block(parse_genesis(file), StateCommitter(nothing))[0]


def test_the_genesis_hash_of_a_new_chain() -> None:
    """Changes with the code or storage of a system contract, and with nothing else."""
    header = genesis_header(document())
    assert header.state_root.hex() == GENESIS_STATE_ROOT
    assert header.hash.hex() == GENESIS_HASH


def test_a_plain_genesis_has_the_hash_that_every_prague_client_computes() -> None:
    """The header's RLP and the state of one account are made by hand here."""
    plain = {"config": {"chainId": 7}, "gasLimit": hex(1 << 25), "timestamp": "0x10", "alloc": {}}
    plain["alloc"] = {f"0x{ACCOUNT.hex()}": {"balance": "0x64"}}
    empty_trie = keccak256(rlp.encode(b""))
    leaf_key = b"\x20" + keccak256(ACCOUNT)
    leaf = rlp.encode([leaf_key, rlp.encode([0, 100, empty_trie, keccak256(b"")])])
    sha256_of_nothing = bytes.fromhex(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    fields: list[Any] = [
        bytes(32),
        keccak256(rlp.encode([])),
        bytes(20),
        keccak256(leaf),
        empty_trie,
        empty_trie,
        bytes(256),
        *(0, 0, 1 << 25, 0, 16, b""),
        bytes(32),
        bytes(8),
        10**9,
        empty_trie,
        *(0, 0),
        bytes(32),
        sha256_of_nothing,
    ]
    header = genesis_header(plain)
    assert header.state_root == keccak256(leaf)
    assert header.hash == keccak256(rlp.encode(fields))


def test_every_part_of_the_file_is_read() -> None:
    parsed = parse_genesis(
        {
            "config": {
                "chainId": 9,
                "cvm": {"period_s": 1, "block_gas_limit": 1 << 26, "block_inference_gas": 1 << 24},
            },
            "timestamp": "0x10",
            "extraData": "0xabcd",
            "gasLimit": 1 << 26,
            "baseFeePerGas": "7",
            "coinbase": "0x" + "0c" * 20,
            "mixHash": "0x" + "0d" * 32,
            "difficulty": "0x0",
            "nonce": "0x0000000000000000",
            "alloc": {
                "bb" * 20: {"balance": 5},
                "0x" + "AA" * 20: {
                    "balance": "0x0",
                    "nonce": "0x1",
                    "code": "0x6000",
                    "storage": {"0x1": "0x2"},
                },
            },
        }
    )
    assert parsed.parameters == ChainParameters(9, 1, 1 << 26, 1 << 24)
    assert parsed == Genesis(
        parameters=parsed.parameters,
        timestamp=16,
        extra_data=b"\xab\xcd",
        base_fee=7,
        coinbase=b"\x0c" * 20,
        prev_randao=b"\x0d" * 32,
        alloc=parsed.alloc,
    )
    [(first, contract), (second, funded)] = parsed.alloc
    assert (first, second) == (b"\xaa" * 20, b"\xbb" * 20)
    assert (contract.nonce, contract.code, contract.storage) == (1, b"\x60\x00", ((1, 2),))
    assert funded.balance == 5


def test_what_is_left_out_has_its_default() -> None:
    parsed = parse_genesis({"config": {"chainId": 9}})
    assert parsed.parameters == ChainParameters(9, 2, 1 << 25, 1 << 24)
    assert (parsed.timestamp, parsed.base_fee, parsed.alloc) == (0, 10**9, ())


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        pytest.param([], "one JSON object", id="a list"),
        pytest.param(None, "one JSON object", id="null"),
        pytest.param({}, "needs config.chainId", id="no config"),
        pytest.param({"config": {}}, "needs config.chainId", id="no chain id"),
        pytest.param({"config": 5}, "needs config.chainId", id="config is a number"),
        pytest.param(document(config={"chainId": "7"}), "chain_id must be", id="a text chain id"),
        pytest.param(document(config={"chainId": 1.5}), "chain_id must be", id="a float chain id"),
        pytest.param(document(config={"chainId": True}), "chain_id must be", id="a bool chain id"),
        pytest.param(document(config={"chainId": 0}), "chain_id must be", id="chain id 0"),
        pytest.param(document(config={"chainId": -1}), "chain_id must be", id="chain id -1"),
        pytest.param(document(config={"chainId": 2**63}), "chain_id must be", id="chain id 2**63"),
        pytest.param(document(config={"chainId": 7, "cvm": 5}), "must be an object", id="cvm 5"),
        pytest.param(config(perid_s=2), "unknown fields: perid_s", id="a misspelt parameter"),
        pytest.param(config(period_s=0), "period_s must be", id="a period of 0"),
        pytest.param(config(period_s=2**32), "period_s must be", id="a period of centuries"),
        pytest.param(config(period_s="2"), "period_s must be", id="a text period"),
        pytest.param(config(block_gas_limit=0), "block_gas_limit must be", id="no block gas"),
        pytest.param(config(block_gas_limit=4_999), "block_gas_limit must be", id="little gas"),
        pytest.param(config(block_gas_limit=2**63), "block_gas_limit must be", id="much gas"),
        pytest.param(config(block_inference_gas=-1), "block_inference_gas", id="inference -1"),
        pytest.param(config(block_inference_gas=None), "block_inference_gas", id="inference null"),
        pytest.param(document(gasLimit="0x1"), "gasLimit is 1, but", id="another gas limit"),
        pytest.param(
            document(gasLimit="lots"), "gasLimit: 'lots' is not a whole number", id="words for gas"
        ),
        pytest.param(document(timestamp="0x1g"), "timestamp: '0x1g' is not a whole", id="bad hex"),
        pytest.param(document(timestamp="1_000"), "timestamp: '1_000'", id="underscores"),
        pytest.param(document(timestamp=" 5"), "timestamp: ' 5'", id="a space"),
        pytest.param(document(timestamp="\u0665"), "timestamp: '\u0665'", id="an Arabic 5"),
        pytest.param(document(timestamp=""), "timestamp: ''", id="an empty number"),
        pytest.param(document(timestamp="0x"), "timestamp: '0x'", id="0x alone"),
        pytest.param(document(timestamp=-5), "timestamp: '-5' is not", id="a negative time"),
        pytest.param(document(timestamp=2**64), "at most 64 bits", id="a time of 65 bits"),
        pytest.param(document(timestamp=True), "timestamp: 'True' is not", id="a bool time"),
        pytest.param(document(timestamp=None), "timestamp: 'None' is not", id="a null time"),
        pytest.param(document(timestamp="9" * 5_000), "is not a", id="5,000 digits"),
        pytest.param(document(baseFeePerGas=2**256), "at most 256 bits", id="a huge base fee"),
        pytest.param(
            document(baseFeePerGas=1.5), "baseFeePerGas: '1.5' is not", id="a float base fee"
        ),
        pytest.param(document(difficulty="0x1"), "difficulty is 1, must be 0", id="difficulty"),
        pytest.param(document(nonce="0x42"), "nonce is 66, must be 0", id="nonce"),
        pytest.param(document(extraData="0x" + "00" * 33), "33 bytes, at most 32", id="extra"),
        pytest.param(document(extraData="hi"), "extraData: 'hi' is not hex", id="extra text"),
        pytest.param(document(extraData=5), "extraData: '5' is not hex", id="extra number"),
        pytest.param(document(coinbase="0x00"), "coinbase: '0x00' has 2 hex digits", id="coinbase"),
        pytest.param(document(mixHash="0x00"), "mixHash: '0x00' has 2 hex digits", id="mix hash"),
        pytest.param(document(alloc=[]), "alloc must be an object", id="alloc list"),
        pytest.param(document(alloc={"0x12": {}}), "has 2 hex digits, must have 40", id="address"),
        pytest.param(
            document(alloc={"0x" + "a" * 39: {}}), "has 39 hex digits, must have 40", id="39 digits"
        ),
        pytest.param(document(alloc={"0x" + "aa " * 20: {}}), "is not hex", id="spaces"),
        pytest.param(
            document(alloc={"0x" + "aa" * 20: {}, "AA" * 20: {}}), "stands twice", id="twice"
        ),
        pytest.param(document(alloc={CONTRACT: 5}), "is not an object", id="account 5"),
        pytest.param(account(balance="-1"), "balance: '-1'", id="a negative balance"),
        pytest.param(account(balance="1 ether"), "balance: '1 ether'", id="ether"),
        pytest.param(account(balance=2**256), "at most 256 bits", id="too much"),
        pytest.param(account(nonce=2**64), "at most 64 bits", id="EIP-2681 nonce"),
        pytest.param(account(code="60"), None, id="code without 0x is hex"),
        pytest.param(account(code="0xzz"), "code: '0xzz' is not hex", id="code"),
        pytest.param(account(code="0x600"), "odd number of hex digits", id="half a byte of code"),
        pytest.param(account(storage=[]), "storage must be an object", id="storage list"),
        pytest.param(account(storage={"0x1": "0x" + "1" * 65}), "longer than 32", id="value"),
        pytest.param(account(storage={"x": "0x1"}), "is not hex", id="slot"),
        pytest.param(
            account(storage={"0x1": "0x1", "0x01": "0x2"}), "slot 0x01 stands twice", id="slots"
        ),
    ],
)
def test_a_file_is_taken_or_refused_with_field_and_value(file: Any, reason: str | None) -> None:
    if reason is None:
        parse_genesis(file)
        return
    with pytest.raises(InvalidGenesis) as caught:
        parse_genesis(file)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_order_of_the_file_does_not_matter() -> None:
    first = document()
    second = json.loads(json.dumps(first, sort_keys=True))
    second["alloc"] = dict(reversed(list(second["alloc"].items())))
    hashes = {genesis_header(file).hash for file in (first, second)}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"timestamp": hex(TIMESTAMP + 1)}, id="time"),
        pytest.param({"extraData": "0x01"}, id="extra data"),
        pytest.param({"baseFeePerGas": "0x1"}, id="base fee"),
        pytest.param({"mixHash": "0x" + "01" * 32}, id="randao"),
        pytest.param({"coinbase": "0x" + "01" * 20}, id="coinbase"),
        pytest.param({"alloc": {}}, id="alloc"),
    ],
)
def test_every_field_of_the_header_is_in_the_hash(change: dict[str, Any]) -> None:
    header = genesis_header(document(**change))
    assert header.hash.hex() != GENESIS_HASH


def test_parameters_have_protocols_defaults() -> None:
    assert parse_parameters({"chainId": 1}) == ChainParameters(
        chain_id=1, period_s=2, block_gas_limit=2**25, block_inference_gas=2**24
    )
