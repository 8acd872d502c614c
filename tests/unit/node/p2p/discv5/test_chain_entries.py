"""What a record says of its chain, enodes, and bootnodes."""

import pytest

from cvm.evm.rlp_encoding import encode_bytes, encode_integer
from node.p2p.discv5.chain_entries import ChainIdentity, Target, candidate_of
from node.p2p.discv5.config import DiscoveryConfig, parse_bootnode
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import sign_record
from node.p2p.discv5.identity import public_key_of
from node.p2p.faults import BadEnode
from tests.unit.node.p2p.discv5.discv5_world import CHAIN, key_of, record_at

GENESIS = bytes.fromhex("11" * 32)


def test_the_entries_have_these_bytes() -> None:
    entries = ChainIdentity(GENESIS, bytes.fromhex("fc64ec04"), 1_150_000).entries()
    # EIP-2124's first example of an encoding, in the list of eth entries
    assert entries[b"eth"].hex() == "cac984fc64ec0483118c30"
    assert entries[b"cvm"].hex() == "88" + "11" * 8


OURS = CHAIN.entries()
OTHER = ChainIdentity(bytes(32), bytes(4), 0).entries()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(OURS, True, id="our node"),
        pytest.param(OTHER, False, id="another chain"),
        pytest.param({b"eth": OURS[b"eth"]}, True, id="a client of our chain"),
        pytest.param({b"eth": OTHER[b"eth"]}, False, id="a client of another chain"),
        pytest.param({b"eth": OURS[b"eth"], b"cvm": OTHER[b"cvm"]}, False, id="same fork id"),
        pytest.param({b"eth": OTHER[b"eth"], b"cvm": OURS[b"cvm"]}, True, id="another fork"),
        pytest.param({}, False, id="says nothing"),
        pytest.param({b"cvm": encode_bytes(GENESIS)}, False, id="longer than a prefix"),
    ],
)
def test_whose_chain_a_record_is_of(entries: dict[bytes, bytes], expected: bool) -> None:
    assert CHAIN.is_shared(sign_record(key_of(1), 1, entries)) is expected


# The public key of the private key 1 is the generator of secp256k1 (SEC 2, 2.4.1).
POINT = (
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)


def test_a_candidate_is_an_enode() -> None:
    candidate = candidate_of(record_at(1, "10.0.0.1", 30303))
    assert candidate is not None
    assert str(candidate.enode) == f"enode://{POINT}@10.0.0.1:30303"


def test_a_record_sends_no_dialler_to_an_address_that_is_not_proven() -> None:
    record = sign_record(
        key_of(1),
        1,
        {
            b"ip": encode_bytes(bytes([10, 0, 0, 1])),
            b"tcp": encode_integer(22),
            b"ip6": encode_bytes(bytes(15) + b"\1"),
            b"udp6": encode_integer(30303),
        },
    )
    assert (record.udp(), record.tcp()) == (Endpoint("::1", 30303), Endpoint("10.0.0.1", 22))
    assert candidate_of(record) is None


def test_a_record_without_tcp_is_no_candidate() -> None:
    assert candidate_of(sign_record(key_of(1), 1, {b"ip": encode_bytes(bytes(4))})) is None


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        pytest.param("10.0.0.1:30303", Endpoint("10.0.0.1", 30303), id="one port"),
        pytest.param("10.0.0.1:30303?discport=9", Endpoint("10.0.0.1", 9), id="discport"),
        pytest.param("[2001:db8::1]:1", Endpoint("2001:db8::1", 1), id="ipv6"),
    ],
)
def test_an_enode_is_read(address: str, endpoint: Endpoint) -> None:
    target = parse_bootnode(f"enode://{POINT}@{address}")
    assert target == Target(record_at(1).node_id, public_key_of(key_of(1)), endpoint)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "does not start with enode", id="nothing"),
        pytest.param(f"http://{POINT}@10.0.0.1:1", "does not start with enode", id="scheme"),
        pytest.param("enode://10.0.0.1:1", "not a public key", id="no key"),
        pytest.param(f"enode://{POINT[:-2]}@10.0.0.1:1", "not a public key", id="short key"),
        pytest.param(f"enode://{'00' * 64}@10.0.0.1:1", "not a public key", id="no point"),
        pytest.param(f"enode://{POINT}@example.org:1", "needs an address", id="a name"),
        pytest.param(f"enode://{POINT}@10.0.0.1", "no host and port", id="no port"),
        pytest.param(f"enode://{POINT}@10.0.0.1:70000", "not a URL", id="port too high"),
        pytest.param(f"enode://{POINT}@10.0.0.1:1?discport=0", "no UDP port", id="discport 0"),
        pytest.param(f"enode://{POINT}@10.0.0.1:1?discport=x", "not a UDP port", id="discport"),
        pytest.param(f"enode://{POINT}@[10.0.0.1:1", "not a URL", id="bracket"),
        pytest.param("enr:-IS4", "is no bootnode", id="half a record"),
    ],
)
def test_a_wrong_bootnode_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadEnode, match=reason):
        parse_bootnode(text)


def test_a_bootnode_is_a_record_or_an_enode() -> None:
    record = record_at(1, "10.0.0.1", 30303)
    assert parse_bootnode(record.text()) == parse_bootnode(f"enode://{POINT}@10.0.0.1:30303")
    with pytest.raises(BadEnode, match="names no address"):
        parse_bootnode(sign_record(key_of(1), 1, {}).text())


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(DiscoveryConfig(CHAIN), None, id="all interfaces: a vote"),
        pytest.param(
            DiscoveryConfig(CHAIN, bind_host="127.0.0.1"), Endpoint("127.0.0.1", 7), id="one"
        ),
        pytest.param(
            DiscoveryConfig(CHAIN, advertise_ip="5.5.5.5"), Endpoint("5.5.5.5", 7), id="told"
        ),
    ],
)
def test_what_a_node_announces_at_first(config: DiscoveryConfig, expected: Endpoint | None) -> None:
    assert config.fixed_endpoint(Endpoint("127.0.0.1", 7)) == expected
