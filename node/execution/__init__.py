"""Execution for JSON-RPC: messages and replays on past states, away from consensus."""
