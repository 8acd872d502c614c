"""Talks to other nodes: RLPx sessions, the capabilities that run over them, and who to talk to."""
