"""What a database cannot do with its states and blocks: one class for each reason."""

from cvm.faults import DatabaseFault
from node.storage.flat_state import UNDO_BLOCKS


class NoFlatState(DatabaseFault):
    """The chain in the database was not started on the flat state."""

    def __init__(self) -> None:
        super().__init__("the database has no flat state")


class NoHistory(DatabaseFault):
    """The chain here starts from a snapshot, and blocks before it were asked for."""

    def __init__(self, start: int) -> None:
        super().__init__(
            f"the blocks before {start} are not here: this chain starts from a snapshot of its "
            "state; ask a node that has them all"
        )


class NoReceipts(DatabaseFault):
    """The chain here starts from a snapshot, which holds no receipts."""

    def __init__(self, block_hash: bytes) -> None:
        super().__init__(
            f"the receipts of block 0x{block_hash.hex()} are not here: "
            "this chain starts from a snapshot of its state"
        )


class FlatStateTooShort(DatabaseFault):
    """The flat tables do not reach back to a block, or not forward."""

    def __init__(self, head: int, number: int) -> None:
        super().__init__(
            f"the flat state holds block {head} and {UNDO_BLOCKS} before it, not block {number}"
        )


class NotTheNextBlock(DatabaseFault):
    """A block does not stand on the state that is in the flat tables."""

    def __init__(self, number: int, root: bytes, flat: tuple[int, bytes] | None) -> None:
        have = "none" if flat is None else f"block {flat[0]} with {flat[1].hex()}"
        super().__init__(
            f"block {number} starts from the state {root.hex()}, the database has {have}"
        )
