"""Ethereum's precompiled contracts: pure functions of their input, at native speed."""
