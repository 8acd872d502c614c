"""QBFT: how validators agree on the next block; a pure function of states and events."""
