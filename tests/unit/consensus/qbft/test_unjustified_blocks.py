"""Of a proposal of a later round, the block is read once a quorum is known to have gone there."""

from dataclasses import replace

import pytest

from consensus.qbft.events import ProposedHeader
from tests.qbft_world import (
    SIGNERS,
    Node,
    context_of,
    proposal_by,
    read_tiny_header,
    refusal,
    round_change_by,
    rules_of,
    tiny_block,
)

BYZANTINE = 1
"""Who proposes in rounds 1, 5, 9 and so on."""


@pytest.mark.parametrize("round_number", [1, 5, 4001], ids=lambda number: f"round {number}")
@pytest.mark.parametrize("listed", [0, 1, 2], ids=lambda count: f"{count} round changes")
def test_a_block_that_nobody_else_waits_for_is_not_read(round_number: int, listed: int) -> None:
    read: list[bytes] = []

    def reading(block: bytes) -> ProposedHeader | None:
        read.append(block)
        return read_tiny_header(block)

    node = Node(replace(rules_of(3), read_proposed_header=reading))
    node.start(context_of(4))
    changes = [round_change_by(index, round_number).signed for index in range(listed)]
    block = tiny_block(SIGNERS[BYZANTINE].address, salt=round_number)
    found = node.receive(proposal_by(BYZANTINE, block, round_number, changes))
    assert refusal(found) == (f"{listed} round changes, must be 3 to 4", True)
    assert read == []
