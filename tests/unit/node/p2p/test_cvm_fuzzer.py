"""A sample of the damaged cvm/1 messages that `make fuzz-cvm` throws at a node."""

from tests.cvm_fuzzer import MAX_GROWTH_MIB, fuzz


def test_damaged_messages_are_refused_or_served_and_crash_nothing() -> None:
    counts, growth_mib = fuzz(2000, seed=7)
    assert counts["refused"] > 500
    assert counts["decoded"] > 100
    assert growth_mib < MAX_GROWTH_MIB
