"""Tracers: what a transaction did, by opcode or by call, in the forms of geth and of Parity."""
