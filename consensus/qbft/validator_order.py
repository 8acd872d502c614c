"""Whose turn it is, and how many of n validators decide (PROTOCOL section 5)."""

from consensus.qbft.events import HeightContext


def proposer(context: HeightContext, round_number: int) -> bytes:
    """Return who proposes in a round: the next after the last proposer, one further each round.

    The first validator is next where the last proposer is in the set no longer.
    """
    validators = context.validators
    last = context.last_proposer
    start = validators.index(last) if last in validators else -1
    return validators[(start + 1 + round_number) % len(validators)]


def faulty_bound(validator_count: int) -> int:
    """Return f: how many byzantine validators n validators endure."""
    return (validator_count - 1) // 3
