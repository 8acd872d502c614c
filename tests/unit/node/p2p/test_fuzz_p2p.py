"""A sample of the fuzzer of peers' bytes, and proof that it would notice a crash."""

import asyncio

import pytest

import tests.fuzz_p2p
from node.p2p.disconnect_reason import DisconnectReason
from tests.fuzz_p2p import MAX_GROWTH_MIB, WEIGHTS, Fuzzer


def test_damaged_bytes_of_a_peer_crash_nothing() -> None:
    fuzzer = Fuzzer(1)
    outcome = asyncio.run(fuzzer.run(800))
    assert outcome.crashes == []
    assert outcome.growth_mib < MAX_GROWTH_MIB
    assert set(outcome.kinds) == set(WEIGHTS)
    assert outcome.line().startswith("800 inputs, 0 crashes, memory growth ")
    assert [sink.taken > 0 for sink in fuzzer.sinks] == [True, False, True]  # cvm/1, eth/68, 69


def test_a_decoder_that_raises_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes) -> DisconnectReason:
        raise KeyError(data)

    monkeypatch.setattr(tests.fuzz_p2p, "decode_disconnect", careless)
    outcome = asyncio.run(Fuzzer(1).run(200))
    assert outcome.crashes
    assert "hello" in outcome.crashes[0]
    assert "KeyError" in outcome.crashes[0]
