"""The handshake vectors of EIP-8 and of the specification before it: packets, secrets, frames."""

from coincurve import PrivateKey

from node.p2p.ecies import decrypt, node_id_of
from node.p2p.frames import HEADER_BYTES, FrameReader, FrameWriter
from node.p2p.handshake import Greeting, Hand, Secrets, derive_secrets, read_ack, read_auth
from tests.conformance.archives import json_files


def vectors(name: str) -> dict[str, bytes]:
    document = json_files("p2p")["p2p/rlpx_eip8.json"][name]
    return {key: bytes.fromhex(value) for key, value in document.items()}


def hand(vector: dict[str, bytes], who: str) -> Hand:
    static = PrivateKey(vector[f"{who}_private_key"])
    ephemeral = PrivateKey(vector[f"{who}_ephemeral_private_key"])
    return Hand(static, ephemeral, vector[f"{who}_nonce"])


def greeting(of: Hand) -> Greeting:
    return Greeting(node_id_of(of.static), of.ephemeral.public_key, of.nonce)


def secrets_of(vector: dict[str, bytes], auth: bytes, ack: bytes) -> tuple[Secrets, Secrets]:
    """Return what the initiator and the responder derive."""
    initiator, responder = hand(vector, "initiator"), hand(vector, "receiver")
    return (
        derive_secrets(initiator, greeting(responder), auth, ack, is_initiator=True),
        derive_secrets(responder, greeting(initiator), auth, ack, is_initiator=False),
    )


def test_auth_of_eip_8_is_read() -> None:
    vector = vectors("eip8")
    initiator, responder = hand(vector, "initiator"), hand(vector, "receiver")
    read = read_auth(responder.static, vector["auth_init_ciphertext"])
    assert read == greeting(initiator)


def test_ack_of_eip_8_is_read() -> None:
    vector = vectors("eip8")
    initiator, responder = hand(vector, "initiator"), hand(vector, "receiver")
    responder_id = node_id_of(responder.static)
    read = read_ack(initiator.static, responder_id, vector["auth_ack_ciphertext"])
    assert read == greeting(responder)


def test_secrets_of_eip_8_are_derived() -> None:
    vector = vectors("eip8")
    packets = vector["auth_init_ciphertext"], vector["auth_ack_ciphertext"]
    for secrets in secrets_of(vector, *packets):
        assert secrets.aes == vector["expected_aes_secret"]
        assert secrets.mac == vector["expected_mac_secret"]


def test_older_packets_decrypt_to_their_text() -> None:
    vector = vectors("pre_eip8")
    initiator, responder = hand(vector, "initiator"), hand(vector, "receiver")
    assert decrypt(responder.static, vector["auth_ciphertext"], b"") == vector["auth_plaintext"]
    opened = decrypt(initiator.static, vector["authresp_ciphertext"], b"")
    assert opened == vector["authresp_plaintext"]


def test_frames_have_the_bytes_of_the_older_vectors() -> None:
    vector = vectors("pre_eip8")
    packets = vector["auth_ciphertext"], vector["authresp_ciphertext"]
    ours, theirs = secrets_of(vector, *packets)
    assert (ours.aes, ours.mac) == (vector["aes_secret"], vector["mac_secret"])
    for sender, receiver, name in ((ours, theirs, "initiator"), (theirs, ours, "receiver")):
        packet = vector[f"{name}_hello_packet"]
        opened = FrameReader(receiver.aes, receiver.mac, receiver.ingress_seed)
        size = opened.open_header(packet[:HEADER_BYTES])
        content = opened.open_body(packet[HEADER_BYTES:], size)
        assert FrameWriter(sender.aes, sender.mac, sender.egress_seed).seal(content) == packet
