"""Finds other nodes over UDP: Node Discovery v5.1 with EIP-778 node records."""
