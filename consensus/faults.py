"""Why a block is refused: one class per broken rule, each holding the values compared."""

from cvm.evm.faults import InvalidTransaction

__all__ = ["InvalidTransaction"]
