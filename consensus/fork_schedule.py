"""Which rules hold at which height: forks go by height and are never changed in place."""

from dataclasses import dataclass

from eth.vm.forks.prague.state import PragueState

from cvm.evm.machine import state_class_with
from opcodes.inference_host import InferenceHost, InferenceLog, UnkeptLog
from opcodes.table import ai_additions


@dataclass(frozen=True, slots=True)
class Fork:
    """A name and the first height at which its rules hold."""

    name: str
    first_block: int


SCHEDULE = (Fork("launch", 0),)
"""Prague with INFER and its twin, engine 1."""


def fork_at(number: int) -> Fork:
    """Return the fork whose rules hold at a height."""
    return [fork for fork in SCHEDULE if fork.first_block <= number][-1]


class Machines:
    """The state class of each fork, bound to one host and one log of inference calls.

    A block's calls are kept until it is done; those of messages need not be.
    """

    def __init__(self, host: InferenceHost, *, keeps_calls: bool = True) -> None:
        self.log = InferenceLog() if keeps_calls else UnkeptLog()
        launch = state_class_with(ai_additions(host, self.log))
        self._classes = {"launch": launch}

    def state_class(self, number: int) -> type[PragueState]:
        """Return the state class for a block's height."""
        return self._classes[fork_at(number).name]
