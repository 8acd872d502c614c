"""The messages of eth: bytes of the specification, and bytes of a stranger."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.eth_block_messages import (
    BlockBodies,
    BlockHeaders,
    GetBlockBodies,
    GetBlockHeaders,
    GetReceipts,
    HeaderQuery,
    Receipts,
    receipts_of_68,
    receipts_of_69,
)
from node.p2p.eth_fork_id import ForkId
from node.p2p.eth_handler import EthHandler, EthService
from node.p2p.eth_status import BlockRangeUpdate, Status68, Status69
from node.p2p.eth_transaction_messages import (
    GetPooledTransactions,
    NewPooledTransactionHashes,
    NewTransactions,
    PooledTransactions,
)
from node.p2p.faults import BadMessage
from node.p2p.protocol import Message
from tests.unit.node.p2p.eth_world import RECEIPT, MemoryChain, made_blocks, transaction

CHAIN = made_blocks(6)
HASHES = (b"\1" * 32, b"\2" * 32)
FORK = ForkId(b"\xfc\x64\xec\x04", 1_150_000)
MESSAGES: tuple[Message, ...] = (
    Status68(68, 1, 2**70, b"\3" * 32, b"\4" * 32, FORK),
    Status69(69, 1, b"\4" * 32, FORK, 0, 9, b"\3" * 32),
    BlockRangeUpdate(1, 9, b"\3" * 32),
    GetBlockHeaders(7, HeaderQuery(9, 3, 2, is_reverse=True)),
    GetBlockHeaders(7, HeaderQuery(b"\5" * 32, 3)),
    BlockHeaders(7, tuple(block.header for block in CHAIN)),
    GetBlockBodies(7, HASHES),
    BlockBodies(7, (b"\xc0\xc0", b"\xc0\xc0\xc0")),
    GetReceipts(7, HASHES),
    Receipts(7, (receipts_of_68((RECEIPT,)), b"")),
    NewTransactions((transaction(1), transaction(2))),
    NewPooledTransactionHashes(b"\2\3", (110, 131_072), HASHES),
    GetPooledTransactions(7, HASHES),
    PooledTransactions(7, (transaction(1),)),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_from_its_bytes(message: Message) -> None:
    again = type(message).decode(message.encode())
    assert again == message
    assert len(message.encode()) <= message.MAX_LENGTH


# Source: EIP-2481 ("Test cases"), whose request id is 1111.
@pytest.mark.parametrize(
    ("message", "data"),
    [
        pytest.param(
            GetBlockHeaders(1111, HeaderQuery(bytes.fromhex("00" * 30 + "dead"), 5, 5)),
            "e8820457e4a0" + "00" * 30 + "dead" + "050580",
            id="headers-by-hash",
        ),
        pytest.param(
            GetBlockHeaders(1111, HeaderQuery(9999, 5, 5)),
            "ca820457c682270f050580",
            id="headers-by-height",
        ),
        pytest.param(
            GetBlockBodies(
                1111, (bytes.fromhex("00" * 30 + "dead"), bytes.fromhex("00" * 30 + "feed"))
            ),
            "f847820457f842a0" + "00" * 30 + "deada0" + "00" * 30 + "feed",
            id="bodies",
        ),
    ],
)
def test_bytes_are_those_of_the_proposal(message: Message, data: str) -> None:
    assert message.encode().hex() == data


def test_receipts_of_69_have_a_type_and_no_bloom() -> None:
    log = RECEIPT.logs[0].encode()
    expected = encode_list(b"\x02\x01" + encode_integer(21_000) + encode_list(log))
    assert receipts_of_69((RECEIPT,)) == expected
    assert receipts_of_68((RECEIPT,)) == encode_bytes(RECEIPT.encode())


def numbered(*items: bytes) -> bytes:
    return encode_list(b"\x07" + encode_list(b"".join(items)))


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        pytest.param(GetBlockHeaders, b"\xc0", "has 0 fields, must have 2", id="no-fields"),
        pytest.param(GetBlockHeaders, b"", "no bytes", id="no-bytes"),
        pytest.param(
            GetBlockHeaders, numbered(b"\x09\x01\x80\x02"), "reverse is 2, at most 1", id="flag"
        ),
        pytest.param(
            GetBlockHeaders,
            numbered(encode_bytes(b"\1" * 31), b"\x01\x80\x80"),
            "must have 32",
            id="a-hash-of-31-bytes",
        ),
        pytest.param(
            GetBlockBodies,
            numbered(*[b"\xa0" + b"\1" * 32] * 4_097),
            "4097 items, at most 4096",
            id="too-many-hashes",
        ),
        pytest.param(
            BlockBodies, numbered(b"\x80"), "is a byte string, must be a list", id="a-string-body"
        ),
        pytest.param(BlockHeaders, numbered(b"\xc0"), "a header has 0 fields", id="no-header"),
        pytest.param(
            NewPooledTransactionHashes,
            encode_list(b"\x02" + encode_list(b"\x05\x05") + encode_list(b"")),
            r"\(1, 2, 0\) types, sizes and hashes",
            id="uneven-announcement",
        ),
        pytest.param(NewTransactions, encode_list(b"\x80"), "no bytes", id="an-empty-transaction"),
        pytest.param(
            PooledTransactions,
            numbered(b"\x83\x03\xc1\xc0"),
            "too few elements",
            id="a-blob-wrapper",
        ),
        pytest.param(
            Status69,
            Status68(68, 1, 1, HASHES[0], HASHES[1], FORK).encode(),
            "must have 7",
            id="another-status",
        ),
    ],
)
def test_wrong_bytes_are_refused_with_the_rule(
    kind: type[Message], data: bytes, words: str
) -> None:
    with pytest.raises(BadMessage, match=words):
        kind.decode(data)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@settings(derandomize=True, max_examples=60)
@given(change=st.tuples(st.integers(0, 2**16), st.integers(0, 255), st.booleans()))
def test_damaged_bytes_are_refused_or_read_as_what_they_say(
    message: Message, change: tuple[int, int, bool]
) -> None:
    data = bytearray(message.encode())
    place, value, cuts = change
    data[place % len(data)] = value
    damaged = bytes(data[: place % len(data)] if cuts else data)
    try:
        again = type(message).decode(damaged)
    except BadMessage:
        return
    assert again.encode() == damaged


@pytest.mark.parametrize(("version", "length"), [(68, 17), (69, 18)], ids=["eth/68", "eth/69"])
def test_a_version_takes_the_codes_of_the_specification(version: int, length: int) -> None:
    service = EthService(MemoryChain(CHAIN))
    handler = EthHandler(service, version)
    assert (handler.capability.name, handler.capability.length) == ("eth", length)
    expected = {*range(11), 15, 16} | ({17} if version == 69 else set())
    assert set(handler.messages) == expected
    assert all(code == kind.CODE for code, kind in handler.messages.items())
