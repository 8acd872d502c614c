"""Hello, Disconnect, compression, capabilities and enode URLs: what is read and what is refused."""

import pytest

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.ecies import node_id_of
from node.p2p.enode import Enode, parse_enode
from node.p2p.faults import BadEnode, BadMessage
from node.p2p.frames import MAX_FRAME_BYTES, FrameWriter
from node.p2p.hello import Hello, decode_disconnect, encode_disconnect
from node.p2p.multiplexing import (
    Route,
    find_route,
    join_code,
    longest_frame,
    share,
    split_code,
)
from node.p2p.protocol import Capability, Rate
from node.p2p.session import read_disconnect
from node.p2p.snappy import compress, decompress
from node.p2p.token_bucket import TokenBucket
from tests.p2p_servers import key_of
from tests.unit.node.p2p.echo import Echo

NODE_ID = node_id_of(key_of(1))
HELLO = Hello("cvm/0.1", (("cvm", 1), ("eth", 69)), 30303, NODE_ID)


def hello(
    version: bytes = b"\5",
    client: bytes = encode_bytes(b"x"),
    capabilities: bytes = b"\xc0",
    port: bytes = b"\x80",
    node_id: bytes = encode_bytes(NODE_ID),
    more: bytes = b"",
) -> bytes:
    return encode_list(version + client + capabilities + port + node_id + more)


def capability(name: bytes, version: bytes = b"\1") -> bytes:
    return encode_list(encode_list(encode_bytes(name) + version))


def test_hello_comes_back_from_its_bytes() -> None:
    assert Hello.decode(HELLO.encode()) == HELLO


def test_hello_may_have_more_fields() -> None:
    assert Hello.decode(hello(more=b"\xc3\1\2\3")).node_id == NODE_ID


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        pytest.param(b"a\nb\x1b[31m", "a?b?[31m", id="control characters"),
        pytest.param(b"\xff\xfe", "��", id="no UTF-8"),
        pytest.param("a\u202eb".encode(), "a?b", id="reversed text"),
    ],
)
def test_a_client_cannot_write_into_a_log(sent: bytes, shown: str) -> None:
    assert Hello.decode(hello(client=encode_bytes(sent))).client == shown


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "Hello is not RLP", id="no bytes"),
        pytest.param(b"\x05", "Hello is not a list", id="a number"),
        pytest.param(b"\xc1\5", "Hello has 1 fields, at least 5", id="too few"),
        pytest.param(hello(client=b"\xc0"), "the client's name is a list", id="list as name"),
        pytest.param(
            hello(client=encode_bytes(b"x" * 257)), "has 257 bytes, at most 256", id="long name"
        ),
        pytest.param(
            hello(capabilities=encode_list(capability(b"a")[1:] * 65)),
            "no list of up to 64 capabilities",
            id="many capabilities",
        ),
        pytest.param(hello(capabilities=b"\x80"), "no list of up to 64", id="no capabilities"),
        pytest.param(
            hello(capabilities=capability(b"x" * 9)), "name has 9 bytes, at most 8", id="name of 9"
        ),
        pytest.param(hello(capabilities=capability(b"\xff")), "not ASCII", id="no ASCII"),
        pytest.param(hello(capabilities=b"\xc1\xc0"), "not a name and a version", id="no name"),
        pytest.param(hello(port=encode_integer(70_000)), "the port has 3 bytes", id="port"),
        pytest.param(hello(node_id=encode_bytes(b"x" * 65)), "the node id has 65", id="node id"),
    ],
)
def test_a_hello_out_of_bounds_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadMessage, match=words):
        Hello.decode(data)


@pytest.mark.parametrize("reason", list(DisconnectReason), ids=lambda reason: reason.name)
def test_disconnect_comes_back_from_its_bytes(reason: DisconnectReason) -> None:
    payload = encode_disconnect(reason)
    assert read_disconnect(compress(payload)) is read_disconnect(payload) is reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"\x04", DisconnectReason.TOO_MANY_PEERS, id="bare, as ethereumjs has it"),
        pytest.param(b"\x80", DisconnectReason.REQUESTED, id="bare zero"),
        pytest.param(b"\xc0", DisconnectReason.REQUESTED, id="an empty list"),
        pytest.param(b"\xc2\x81\xff", DisconnectReason.SUBPROTOCOL_ERROR, id="an unknown one"),
    ],
)
def test_other_forms_of_disconnect_are_read(payload: bytes, reason: DisconnectReason) -> None:
    assert decode_disconnect(payload) is reason


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "without a size", id="empty"),
        pytest.param(b"\xff" * 5, "without a size", id="endless size"),
        pytest.param(b"\xff\xff\xff\xff\x0f", "4294967295 bytes, at most 1000", id="four GiB"),
        pytest.param(b"\xe8\x07a", "3 bytes cannot hold a message of 1000", id="a bomb"),
        pytest.param(compress(b"x" * 1001), "1001 bytes, at most 1000", id="one too long"),
        pytest.param(b"\x05\x00", "not snappy", id="cut off"),
    ],
)
def test_what_decompresses_to_too_much_is_refused_before(data: bytes, words: str) -> None:
    with pytest.raises(BadMessage, match=words):
        decompress(data, 1000)


@pytest.mark.parametrize("size", [0, 1, 64, 999, 1000])
def test_what_fits_is_decompressed(size: int) -> None:
    assert decompress(compress(b"x" * size), 1000) == b"x" * size


def handler(name: str, version: int, length: int) -> Echo:
    found = Echo()
    found.capability = Capability(name, version, length)
    return found


CVM, ETH_68, ETH_69 = handler("cvm", 1, 19), handler("eth", 68, 17), handler("eth", 69, 18)
SNAP = handler("snap", 1, 8)


@pytest.mark.parametrize(
    ("theirs", "shared"),
    [
        pytest.param([("eth", 68)], [("eth", 68, 16)], id="one"),
        pytest.param(
            [("snap", 1), ("eth", 69), ("eth", 68), ("cvm", 1)],
            [("cvm", 1, 16), ("eth", 69, 35), ("snap", 1, 53)],
            id="by name, the highest version of each",
        ),
        pytest.param([("eth", 68), ("eth", 70)], [("eth", 68, 16)], id="a version only they have"),
        pytest.param([("les", 4)], [], id="none"),
        pytest.param([], [], id="nothing said"),
    ],
)
def test_shared_capabilities_follow_each_other_by_name(
    theirs: list[tuple[str, int]], shared: list[tuple[str, int, int]]
) -> None:
    found = share((ETH_69, SNAP, CVM, ETH_68), theirs)
    names = [(each.handler.capability, each.offset) for each in found]
    assert [(known.name, known.version, offset) for known, offset in names] == shared


@pytest.mark.parametrize(("code", "target"), [(16, "a"), (34, "a"), (35, "b"), (52, "b")])
def test_a_code_leads_to_its_capability(code: int, target: str) -> None:
    assert find_route([Route(16, 35, "a"), Route(35, 53, "b")], code).target == target


@pytest.mark.parametrize("code", [0, 15, 53, 1000])
def test_a_code_of_nobody_is_refused(code: int) -> None:
    with pytest.raises(BadMessage, match=f"no shared capability has the code {code}"):
        find_route([Route(16, 35, "a"), Route(35, 53, "b")], code)


@pytest.mark.parametrize("code", [0, 1, 127, 128, 255, 256])
def test_a_code_comes_back_from_a_frame(code: int) -> None:
    assert split_code(join_code(code, b"payload")) == (code, b"payload")


@pytest.mark.parametrize(
    "content", [b"", b"\xc0", b"\x83\1\2\3", b"\xb8", b"\x81\x05"],
    ids=["nothing", "a list", "three bytes", "half a header", "not the shortest"],
)  # fmt: skip
def test_a_frame_without_a_code_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage):
        split_code(content)


def test_frames_have_a_bound_that_the_shared_messages_give() -> None:
    assert longest_frame(share((CVM,), [("cvm", 1)])) == 2048 + 1000 + 166
    with pytest.raises(ValueError, match="at most 16777215"):
        FrameWriter(bytes(32), bytes(32), b"").seal(bytes(MAX_FRAME_BYTES + 1))


@pytest.mark.parametrize(
    "enode",
    [
        pytest.param(Enode(NODE_ID, "127.0.0.1", 30303), id="IPv4"),
        pytest.param(Enode(NODE_ID, "::1", 30303), id="IPv6"),
        pytest.param(Enode(NODE_ID, "validator-1", 30303), id="name"),
        pytest.param(Enode(NODE_ID, "127.0.0.1", 30303, 30301), id="another UDP port"),
    ],
)
def test_an_enode_comes_back_from_its_url(enode: Enode) -> None:
    assert parse_enode(str(enode)) == enode


DIGITS = NODE_ID.hex()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "does not start with enode", id="empty"),
        pytest.param(f"enr://{DIGITS}@127.0.0.1:1", "does not start with enode", id="scheme"),
        pytest.param(f"enode://{DIGITS}@127.0.0.1", "names no host and port", id="no port"),
        pytest.param(f"enode://{DIGITS}@:30303", "names no host and port", id="no host"),
        pytest.param(f"enode://{DIGITS}@127.0.0.1:0", "names no host and port", id="port 0"),
        pytest.param(f"enode://{DIGITS}@127.0.0.1:70000", "is not a URL", id="port 70000"),
        pytest.param("enode://@127.0.0.1:1", "not a public key", id="no key"),
        pytest.param(f"enode://{DIGITS[2:]}@127.0.0.1:1", "not a public key", id="short key"),
        pytest.param(f"enode://{'01' * 64}@127.0.0.1:1", "not a public key", id="no point"),
        pytest.param(f"enode://{'zz' * 64}@127.0.0.1:1", "not a public key", id="no digits"),
        pytest.param(f"enode://{DIGITS}@127.0.0.1:1?discport=x", "not a UDP port", id="discport"),
        pytest.param(
            f"enode://{DIGITS}@127.0.0.1:1?discport=70000", "not a UDP port", id="discport high"
        ),
        pytest.param(f"enode://{DIGITS}@[::1:1", "is not a URL", id="half a bracket"),
        pytest.param("enode://" + "x" * 600, "at most 512", id="long"),
    ],
)
def test_text_that_is_no_enode_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadEnode, match=words):
        parse_enode(text)


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(Rate(per_second=2, burst=3), now_s=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]


def test_a_bucket_does_not_gain_when_a_clock_goes_back() -> None:
    bucket = TokenBucket(Rate(per_second=1, burst=1), now_s=100)
    assert bucket.take(100)
    assert not bucket.take(50)
    assert not bucket.take(100.5)
    assert bucket.take(101)


def test_a_debt_says_how_long_to_wait() -> None:
    bucket = TokenBucket(Rate(per_second=10, burst=20), now_s=0)
    assert bucket.owe(0, 20) == 0
    assert bucket.owe(0, 5) == 0.5
    assert bucket.owe(1, 10) == 0.5
