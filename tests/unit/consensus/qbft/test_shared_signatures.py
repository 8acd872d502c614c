"""Two validators whose keys were made for one signature: each vote is still its signer's own."""

from collections.abc import Sequence

from consensus.qbft.events import HeightContext, Refused
from consensus.qbft.messages import Prepare, PreparePayload
from consensus.qbft.rules import Rules
from consensus.qbft.signing import KeySigner
from consensus.qbft.votes import ROUNDS_KEPT
from cvm.evm.signatures import CURVE_ORDER, sign_hash
from tests.qbft_world import DOMAIN, DUE_MS, HEIGHT, SEALS, Node, found, read_tiny_header

HONEST = [KeySigner(bytes((0x31 + index,)) * 32) for index in range(5)]  # TEST keys
VOTES = [PreparePayload(HEIGHT, 5 + index, bytes((index,)) * 32) for index in range(2)]


def digest_of(payload: PreparePayload) -> bytes:
    return DOMAIN.digest(payload.CODE, payload.encode())


def twins(payloads: Sequence[PreparePayload]) -> tuple[list[KeySigner], bytes]:
    """Return a key for each payload, and one signature that each makes of its own.

    A signature is s * k = z + r * d: for any other z there is another d.
    """
    key, told = b"\x77" * 32, b"\x01" * 32  # a TEST key
    parity, r, s = sign_hash(told, key)
    product = int.from_bytes(told, "big") + r * int.from_bytes(key, "big")
    inverse = pow(r, -1, CURVE_ORDER)
    signers = [
        KeySigner(((product - z) * inverse % CURVE_ORDER).to_bytes(32, "big"))
        for z in (int.from_bytes(digest_of(payload), "big") for payload in payloads)
    ]
    return signers, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))


def test_two_votes_with_one_signature_stop_nobody() -> None:
    pair, signature = twins(VOTES)
    node = Node(Rules(HONEST[0], DOMAIN, SEALS, read_tiny_header))
    validators = tuple(signer.address for signer in (*HONEST, *pair))
    node.start(HeightContext(HEIGHT, validators, bytes(20), DUE_MS))
    shared = [Prepare(payload, signature) for payload in VOTES]
    assert found(Refused, node.receive_all(shared)) == []
    assert [node.state.prepares.signer_of(vote) for vote in shared] == [
        signer.address for signer in pair
    ]
    for round_number in range(10, 10 + ROUNDS_KEPT):
        for signer in pair:
            payload = PreparePayload(HEIGHT, round_number, bytes(32))
            assert (
                found(Refused, node.receive(Prepare(payload, signer.sign(digest_of(payload)))))
                == []
            )
    assert not any(map(node.state.prepares.holds, shared))
