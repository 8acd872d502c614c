"""A sample of damaged packets; `make fuzz-discovery` throws any number."""

from tests.discv5_fuzzer import KINDS, fuzz


def test_five_thousand_damaged_packets_do_no_harm() -> None:
    outcome = fuzz(5_000, seed=1)
    assert outcome.faults == []
    assert outcome.grown_bytes < 50 * 2**20
    assert set(outcome.kinds) == set(KINDS)
    # It got past the mask, the handshake and the seal, or it showed nothing.
    assert outcome.handshakes > 200
    assert outcome.answered > 2_000
    assert outcome.refused > 1_000
    assert outcome.records_read > 100
