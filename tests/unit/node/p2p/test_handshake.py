"""The handshake between two keys: what is read, and what is refused."""

import random

import pytest
from coincurve import PrivateKey

from cvm.evm.rlp_encoding import encode_bytes, encode_list
from node.p2p.ecies import NODE_ID_BYTES, decrypt, encrypt, node_id_of, point_of
from node.p2p.faults import BadMessage
from node.p2p.handshake import (
    Greeting,
    Hand,
    derive_secrets,
    make_ack,
    make_auth,
    packet_rest,
    read_ack,
    read_auth,
)
from tests.p2p_servers import key_of

INITIATOR, RESPONDER, STRANGER = key_of(1), key_of(2), key_of(3)
DRAW = random.Random(5).randbytes
OFF_THE_CURVE = b"\1" * NODE_ID_BYTES


def sealed(body: bytes) -> bytes:
    """Return a packet to the responder with any body."""
    size = (len(body) + 113).to_bytes(2, "big")
    return size + encrypt(node_id_of(RESPONDER), body, size, DRAW)


def fields(*items: bytes) -> bytes:
    return encode_list(b"".join(map(encode_bytes, items)))


def test_both_sides_derive_the_same_secrets() -> None:
    ours, theirs = Hand.draw(INITIATOR, DRAW), Hand.draw(RESPONDER, DRAW)
    auth = make_auth(ours, node_id_of(RESPONDER), DRAW)
    seen_by_responder = read_auth(RESPONDER, auth)
    ack = make_ack(theirs, seen_by_responder.node_id, DRAW)
    seen_by_initiator = read_ack(INITIATOR, node_id_of(RESPONDER), ack)
    assert seen_by_responder == Greeting(
        node_id_of(INITIATOR), ours.ephemeral.public_key, ours.nonce
    )
    left = derive_secrets(ours, seen_by_initiator, auth, ack, is_initiator=True)
    right = derive_secrets(theirs, seen_by_responder, auth, ack, is_initiator=False)
    assert (left.aes, left.mac) == (right.aes, right.mac)
    assert (left.egress_seed, left.ingress_seed) == (right.ingress_seed, right.egress_seed)


def test_a_frame_comes_through_and_a_second_one_after_it() -> None:
    ours, theirs = Hand.draw(INITIATOR, DRAW), Hand.draw(RESPONDER, DRAW)
    auth = make_auth(ours, node_id_of(RESPONDER), DRAW)
    ack = make_ack(theirs, node_id_of(INITIATOR), DRAW)
    read = read_ack(INITIATOR, node_id_of(RESPONDER), ack)
    _, writer = derive_secrets(ours, read, auth, ack, is_initiator=True).frames()
    read = read_auth(RESPONDER, auth)
    reader, _ = derive_secrets(theirs, read, auth, ack, is_initiator=False).frames()
    for content in (b"", b"x", b"y" * 16, b"z" * 100_000):
        frame = writer.seal(content)
        size = reader.open_header(frame[:32])
        assert size == len(content)
        assert reader.open_body(frame[32:], size) == content


def test_more_fields_and_bytes_after_the_list_are_passed_over() -> None:
    hand = Hand.draw(INITIATOR, DRAW)
    auth = make_auth(hand, node_id_of(RESPONDER), DRAW)
    body = decrypt(RESPONDER, auth[2:], auth[:2])
    items = body[2 : 2 + body[1]]  # the payload of a list of fewer than 256 bytes
    longer = encode_list(items + encode_bytes(b"new") + encode_list(b"\1\2")) + b"\xff\0" * 40
    assert read_auth(RESPONDER, sealed(longer)) == read_auth(RESPONDER, auth)


SIGNATURE, NONCE = bytes(64) + b"\1", b"\2" * 32
REFUSED = [
    pytest.param(b"", "too few fields", id="nothing"),
    pytest.param(b"\x80", "too few fields", id="a string"),
    pytest.param(b"\xc0", "too few fields", id="no fields"),
    pytest.param(b"\xf8", "is not RLP", id="a list without a length"),
    pytest.param(b"\xc1" * 9 + b"\xc0", "is not RLP", id="lists in lists"),
    pytest.param(
        fields(SIGNATURE, node_id_of(INITIATOR), NONCE[1:]), "have not the sizes", id="short nonce"
    ),
    pytest.param(fields(SIGNATURE, OFF_THE_CURVE, NONCE), "not on the curve", id="no point"),
    pytest.param(
        fields(SIGNATURE, node_id_of(INITIATOR), NONCE), "a signature of nobody", id="r is zero"
    ),
    pytest.param(
        fields(b"\1" * 64 + b"\x04", node_id_of(INITIATOR), NONCE),
        "a signature of nobody",
        id="a recovery id of 4",
    ),
]


@pytest.mark.parametrize(("body", "words"), REFUSED)
def test_a_packet_with_a_wrong_body_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(BadMessage, match=words):
        read_auth(RESPONDER, sealed(body))


def test_a_packet_for_somebody_else_is_refused() -> None:
    auth = make_auth(Hand.draw(INITIATOR, DRAW), node_id_of(STRANGER), DRAW)
    with pytest.raises(BadMessage, match="tag"):
        read_auth(RESPONDER, auth)


@pytest.mark.parametrize("place", [0, 1, 2, 40, 70, 90, -33, -1])
def test_a_changed_byte_anywhere_is_refused(place: int) -> None:
    auth = bytearray(make_auth(Hand.draw(INITIATOR, DRAW), node_id_of(RESPONDER), DRAW))
    auth[place] ^= 1
    with pytest.raises(BadMessage):
        read_auth(RESPONDER, bytes(auth))


@pytest.mark.parametrize("size", [0, 113, 2049, 65535])
def test_a_packet_of_an_impossible_size_is_not_waited_for(size: int) -> None:
    with pytest.raises(BadMessage, match=f"a handshake packet of {size} bytes"):
        packet_rest(size.to_bytes(2, "big"))


def test_nobody_dials_a_key_that_is_none() -> None:
    with pytest.raises(BadMessage, match="not on the curve"):
        make_auth(Hand.draw(INITIATOR, DRAW), OFF_THE_CURVE, DRAW)
    with pytest.raises(BadMessage, match="a public key of 3 bytes, must be 64"):
        point_of(b"abc")


def test_packets_differ_in_size_and_content() -> None:
    hand = Hand(INITIATOR, PrivateKey(b"\7" * 32), NONCE)
    packets = {make_auth(hand, node_id_of(RESPONDER), DRAW) for _ in range(8)}
    assert len(packets) == 8
    assert len({len(packet) for packet in packets}) > 1
