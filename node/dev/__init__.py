"""A development chain: one that a caller may change by hand, for tests of contracts."""
