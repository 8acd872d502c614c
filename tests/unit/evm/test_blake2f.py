"""BLAKE2 compression at 0x09 (EIP-152): its vectors, its refusals, and 16 million rounds."""

import pytest

from tests.evm_world import World
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw

BLAKE2F = (9).to_bytes(20, "big")
STATE = bytes.fromhex(
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)
MESSAGE = b"abc" + bytes(125)
COUNTERS = (3).to_bytes(8, "little") + bytes(8)


def calldata(rounds: int, final: int = 1) -> bytes:
    return rounds.to_bytes(4, "big") + STATE + MESSAGE + COUNTERS + bytes([final])


@pytest.mark.parametrize(
    ("rounds", "final", "output"),
    [
        pytest.param(
            0,
            1,
            "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
            "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b",
            id="EIP-152 vector 4: no round",
        ),
        pytest.param(
            12,
            1,
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
            id="EIP-152 vector 5: BLAKE2b of abc",
        ),
        pytest.param(
            12,
            0,
            "75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d28752"
            "98743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735",
            id="EIP-152 vector 6: not the last block",
        ),
        pytest.param(
            1,
            1,
            "b63a380cb2897d521994a85234ee2c181b5f844d2c624c002677e9703449d2fb"
            "a551b3a8333bcdf5f2f7e08993d53923de3d64fcc68c034e717b9293fed7a421",
            id="EIP-152 vector 7: one round",
        ),
    ],
)
def test_the_vectors_of_eip_152(rounds: int, final: int, output: str) -> None:
    result = BlockWorld().apply(raw(to=BLAKE2F, data=calldata(rounds, final)))
    assert result.error is None
    assert result.output.hex() == output
    assert World().run(to=BLAKE2F, data=calldata(rounds, final)).gas_used == rounds


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(calldata(12)[1:], id="212 bytes"),
        pytest.param(calldata(12) + b"\0", id="214 bytes"),
        pytest.param(calldata(12, 2), id="a final flag of 2"),
    ],
)
def test_other_input_burns_the_gas(data: bytes) -> None:
    assert BlockWorld().apply(raw(to=BLAKE2F, data=data)).gas_used == 100_000


def test_as_many_rounds_as_a_transaction_can_pay_take_seconds() -> None:
    """Pure Python takes six minutes; the test's own time limit is what would show it."""
    frame = World().run(to=BLAKE2F, data=calldata(16_000_000), gas=1 << 24)
    assert frame.is_success
    assert frame.gas_used == 16_000_000
