"""Which validators vote at which height: epochs, fixed before they begin (PROTOCOL section 4)."""

LIST_LEAD_BLOCKS = 2
"""An epoch's list is that of the state after the last block but one before the epoch, so that
every node knows it one block before the first vote."""


def epoch_of(height: int, epoch_blocks: int) -> int:
    """Return the epoch that a block belongs to."""
    return height // epoch_blocks


def first_height(epoch: int, epoch_blocks: int) -> int:
    """Return an epoch's first height."""
    return epoch * epoch_blocks


def list_height(epoch: int, epoch_blocks: int) -> int:
    """Return the height whose state fixes an epoch's validators: genesis for epoch 0."""
    return max(first_height(epoch, epoch_blocks) - LIST_LEAD_BLOCKS, 0)


def earliest_change(height: int, epoch_blocks: int) -> int:
    """Return the first epoch that a transaction in a block can change the list of."""
    return (height + LIST_LEAD_BLOCKS - 1) // epoch_blocks + 1


def changes_per_epoch(validator_count: int) -> int:
    """Return how many members may change from one epoch to the next: f, but one at least."""
    return max((validator_count - 1) // 3, 1)
