"""One frame of execution: py-evm's for Prague, without what lets a caller exhaust a machine."""

from typing import Any, cast

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.vm.forks.prague.computation import PragueComputation

from cvm.evm.analysed_code import AnalysedCode

KEPT = frozenset(
    {
        "state",
        "msg",
        "contracts_created",
        "children",
        "accounts_to_delete",
        "beneficiaries",
        "_gas_meter",
        "_error",
        "_output",
        "_log_entries",
    }
)
"""What a transaction reads of a finished frame: gas, refunds, logs, touched accounts, output."""


class Frame(PragueComputation):
    """Prague, with the origin frame told by its depth, code analysed once, and lean children.

    py-evm tells the origin by `sender == origin`, so a 7702-delegated origin that creates a
    contract pays for its initcode twice. It keeps the input, code, memory and stack of every
    finished frame to the end of the transaction: at 100 gas a call, 12 GB for 2**24 gas.
    """

    def __init__(
        self, state: StateAPI, message: MessageAPI, transaction_context: TransactionContextAPI
    ) -> None:
        super().__init__(state, message, transaction_context)
        self.code = AnalysedCode(message.code)

    @property
    def is_origin_computation(self) -> bool:
        """Return whether this is the transaction's outermost frame."""
        return bool(self.msg.depth == 0)

    def add_child_computation(self, child_computation: ComputationAPI) -> None:
        """Keep of a finished frame what the transaction still reads.

        Its output is read once more, right after this; the one before it no longer.
        """
        if self.children:
            cast(Any, self.children[-1])._output = b""
        super().add_child_computation(child_computation)
        forget_workings(child_computation)


def forget_workings(frame: ComputationAPI) -> None:
    """Drop input, code, memory, stack and the traceback of a frame that has ended."""
    message = cast(Any, frame.msg)
    message.data = message.code = b""
    attributes = vars(frame)
    for name in [name for name in attributes if name not in KEPT]:
        del attributes[name]
    if frame.is_error:
        frame.error.__traceback__ = frame.error.__context__ = None
