"""The wire vectors of devp2p's discv5-wire-test-vectors.md, decoded and encoded."""

from dataclasses import dataclass

import pytest

from node.p2p.discv5.enr import decode_record
from node.p2p.discv5.handshake import initiate
from node.p2p.discv5.identity import node_id_of, public_key_of, shared_secret
from node.p2p.discv5.messages import Ping, decode_message, encode_message
from node.p2p.discv5.packet import (
    Handshake,
    Header,
    Ordinary,
    WhoAreYou,
    authenticated_bytes,
    decode_packet,
    encode_packet,
)
from node.p2p.discv5.session_keys import derive_keys, is_proof, seal, sign_proof, unseal

KEY_A = bytes.fromhex("eef77acb6c6a6eebc5b363a475ac583ec7eccdb42b6481424c60f59aa326547f")
KEY_B = bytes.fromhex("66fb62bfbd66b9177a138c1e5cddbe4f7c30c343e94e68df8769459cb1cde628")
ID_A = bytes.fromhex("aaaa8419e9f49d0083561b48287df592939a8d19947d8c0ef88f2a4856a69fbb")
ID_B = bytes.fromhex("bbbb9d047f0488c0b5a93c1c3f2d8bafc7c8ff337024a55434a0d0555de64db9")
IV = bytes(16)
NONCE = b"\xff" * 12
REQUEST_NONCE = bytes.fromhex("0102030405060708090a0b0c")
ID_NONCE = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
EPHEMERAL = bytes.fromhex("0288ef00023598499cb6c940146d050d2b1fb914198c327f76aad590bead68b6")
EPHEMERAL_PUBLIC = "039a003ba6517b473fa0cd74aefe99dadfdb34627f90fec6362df85803908f53a5"
CHALLENGE_START = (
    "000000000000000000000000000000006469736376350001010102030405060708090a0b0c0018"
    "0102030405060708090a0b0c0d0e0f10"
)
CHALLENGE_0 = bytes.fromhex(CHALLENGE_START + "0000000000000000")
CHALLENGE_1 = bytes.fromhex(CHALLENGE_START + "0000000000000001")

PING = (
    "00000000000000000000000000000000088b3d4342774649325f313964a39e55"
    "ea96c005ad52be8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3"
    "4c4f53245d08dab84102ed931f66d1492acb308fa1c6715b9d139b81acbdcc"
)
WHO_ARE_YOU = (
    "00000000000000000000000000000000088b3d434277464933a1ccc59f5967ad"
    "1d6035f15e528627dde75cd68292f9e6c27d6b66c8100a873fcbaed4e16b8d"
)
HANDSHAKE = (
    "00000000000000000000000000000000088b3d4342774649305f313964a39e55"
    "ea96c005ad521d8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3"
    "4c4f53245d08da4bb252012b2cba3f4f374a90a75cff91f142fa9be3e0a5f3ef"
    "268ccb9065aeecfd67a999e7fdc137e062b2ec4a0eb92947f0d9a74bfbf44dfb"
    "a776b21301f8b65efd5796706adff216ab862a9186875f9494150c4ae06fa4d1"
    "f0396c93f215fa4ef524f1eadf5f0f4126b79336671cbcf7a885b1f8bd2a5d83"
    "9cf8"
)
HANDSHAKE_WITH_RECORD = (
    "00000000000000000000000000000000088b3d4342774649305f313964a39e55"
    "ea96c005ad539c8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3"
    "4c4f53245d08da4bb23698868350aaad22e3ab8dd034f548a1c43cd246be9856"
    "2fafa0a1fa86d8e7a3b95ae78cc2b988ded6a5b59eb83ad58097252188b902b2"
    "1481e30e5e285f19735796706adff216ab862a9186875f9494150c4ae06fa4d1"
    "f0396c93f215fa4ef524e0ed04c3c21e39b1868e1ca8105e585ec17315e755e6"
    "cfc4dd6cb7fd8e1a1f55e49b4b5eb024221482105346f3c82b15fdaae36a3bb1"
    "2a494683b4a3c7f2ae41306252fed84785e2bbff3b022812d0882f06978df84a"
    "80d443972213342d04b9048fc3b1d5fcb1df0f822152eced6da4d3f6df27e70e"
    "4539717307a0208cd208d65093ccab5aa596a34d7511401987662d8cf62b1394"
    "71"
)


@dataclass(frozen=True)
class Vector:
    """A packet with a message: the key it is sealed with, and the message."""

    packet: str
    read_key: str
    record_seq: int
    challenge: bytes = b""


SEALED = [
    pytest.param(Vector(PING, "00" * 16, 2), id="ping"),
    pytest.param(
        Vector(HANDSHAKE, "4f9fac6de7567d1e3b1241dffe90f662", 1, CHALLENGE_1), id="handshake"
    ),
    pytest.param(
        Vector(HANDSHAKE_WITH_RECORD, "53b1c075f41876423154e157470c2f48", 1, CHALLENGE_0),
        id="handshake with record",
    ),
]


def header_of(vector: Vector) -> Header:
    """Make the header anew, from keys and challenge alone."""
    if not vector.challenge:
        return Ordinary(ID_A)
    record = b""
    if vector.challenge == CHALLENGE_0:
        header = decode_packet(ID_B, bytes.fromhex(vector.packet)).header
        assert isinstance(header, Handshake)
        record = header.record
    _, made = initiate(
        KEY_A, ID_A, ID_B, public_key_of(KEY_B), vector.challenge, record, lambda _: EPHEMERAL
    )
    return made


@pytest.mark.parametrize("vector", SEALED)
def test_a_sealed_packet_decodes_to_its_message(vector: Vector) -> None:
    packet = decode_packet(ID_B, bytes.fromhex(vector.packet))
    plain = unseal(
        bytes.fromhex(vector.read_key), packet.nonce, packet.message, packet.authenticated
    )
    assert (packet.nonce, packet.header.encode()[:32]) == (NONCE, ID_A)
    assert plain is not None
    assert decode_message(plain) == Ping(bytes.fromhex("00000001"), vector.record_seq)


@pytest.mark.parametrize("vector", SEALED)
def test_a_sealed_packet_encodes_to_its_bytes(vector: Vector) -> None:
    authenticated = authenticated_bytes(IV, NONCE, header_of(vector))
    message = encode_message(Ping(bytes.fromhex("00000001"), vector.record_seq))
    sealed = seal(bytes.fromhex(vector.read_key), NONCE, message, authenticated)
    assert encode_packet(ID_B, authenticated, sealed).hex() == vector.packet


@pytest.mark.parametrize("vector", SEALED[1:])
def test_a_handshake_gives_the_read_key(vector: Vector) -> None:
    header = decode_packet(ID_B, bytes.fromhex(vector.packet)).header
    assert isinstance(header, Handshake)
    assert header.ephemeral_key.hex() == EPHEMERAL_PUBLIC
    keys = derive_keys(header.ephemeral_key, KEY_B, ID_A, ID_B, vector.challenge)
    assert keys.initiator.hex() == vector.read_key
    assert is_proof(
        header.id_signature, public_key_of(KEY_A), vector.challenge, header.ephemeral_key, ID_B
    )


def test_the_record_of_a_handshake_is_its_senders() -> None:
    header = decode_packet(ID_B, bytes.fromhex(HANDSHAKE_WITH_RECORD)).header
    assert isinstance(header, Handshake)
    record = decode_record(header.record)
    assert (record.node_id, record.seq) == (ID_A, 1)


def test_who_are_you_decodes_to_its_challenge() -> None:
    packet = decode_packet(ID_B, bytes.fromhex(WHO_ARE_YOU))
    assert packet.header == WhoAreYou(ID_NONCE, 0)
    assert (packet.nonce, packet.message) == (REQUEST_NONCE, b"")
    assert packet.authenticated == CHALLENGE_0


def test_who_are_you_encodes_to_its_bytes() -> None:
    authenticated = authenticated_bytes(IV, REQUEST_NONCE, WhoAreYou(ID_NONCE, 0))
    assert authenticated == CHALLENGE_0
    assert encode_packet(ID_B, authenticated).hex() == WHO_ARE_YOU


@pytest.mark.parametrize(
    ("key", "node_id"), [pytest.param(KEY_A, ID_A, id="a"), pytest.param(KEY_B, ID_B, id="b")]
)
def test_a_node_id_is_the_hash_of_the_public_key(key: bytes, node_id: bytes) -> None:
    assert node_id_of(public_key_of(key)) == node_id


STATIC = bytes.fromhex("fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736")
PUBLIC = bytes.fromhex("039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231")


def test_ecdh() -> None:
    assert (
        shared_secret(PUBLIC, STATIC).hex()
        == "033b11a2a1f214567e1537ce5e509ffd9b21373247f2a3ff6841f4976f53165e7e"
    )


def test_key_derivation() -> None:
    destination = bytes.fromhex(
        "0317931e6e0840220642f230037d285d122bc59063221ef3226b1f403ddc69ca91"
    )
    keys = derive_keys(destination, STATIC, ID_A, ID_B, CHALLENGE_0)
    assert keys.initiator.hex() == "dccc82d81bd610f4f76d3ebe97a40571"
    assert keys.recipient.hex() == "ac74bb8773749920b0d3a8881c173ec5"


def test_id_signature() -> None:
    signature = sign_proof(STATIC, CHALLENGE_0, PUBLIC, ID_B)
    assert signature.hex() == (
        "94852a1e2318c4e5e9d422c98eaf19d1d90d876b29cd06ca7cb7546d0fff7b48"
        "4fe86c09a064fe72bdbef73ba8e9c34df0cd2b53e9d65528c2c7f336d5dfc6e6"
    )
    assert is_proof(signature, public_key_of(STATIC), CHALLENGE_0, PUBLIC, ID_B)
    assert not is_proof(signature, public_key_of(STATIC), CHALLENGE_1, PUBLIC, ID_B)


def test_encryption() -> None:
    key = bytes.fromhex("9f2d77db7004bf8a1a85107ac686990b")
    nonce = bytes.fromhex("27b5af763c446acd2749fe8e")
    authenticated = bytes.fromhex(
        "93a7400fa0d6a694ebc24d5cf570f65d04215b6ac00757875e3f3a5f42107903"
    )
    sealed = seal(key, nonce, bytes.fromhex("01c20101"), authenticated)
    assert sealed.hex() == "a5d12a2d94b8ccb3ba55558229867dc13bfa3648"
    assert unseal(key, nonce, sealed, authenticated) == bytes.fromhex("01c20101")
    assert unseal(key, nonce, sealed[:-1] + b"\x49", authenticated) is None
