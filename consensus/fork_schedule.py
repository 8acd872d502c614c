"""Which rules hold at which height: forks go by height and are never changed in place."""

from dataclasses import dataclass

from cvm.evm.execution import ExecutionRules
from cvm.evm.forks import OSAKA
from opcodes.inference_host import InferenceHost, InferenceLog, RoyaltyLog
from opcodes.table import ai_additions


@dataclass(frozen=True, slots=True)
class Fork:
    """A name and the first height at which its rules hold."""

    name: str
    first_block: int


SCHEDULE = (Fork("launch", 0),)
"""Osaka with INFER, INFERARRAY, MODELINFO and their twins, engine 1."""


def fork_at(number: int) -> Fork:
    """Return the fork whose rules hold at a height."""
    return [fork for fork in SCHEDULE if fork.first_block <= number][-1]


class Machines:
    """The execution rules of each fork, bound to one host and one log of inference calls.

    A block's calls are kept until it is done; of messages and replays, what they owe in royalties.
    """

    def __init__(self, host: InferenceHost, *, keeps_calls: bool = True) -> None:
        self.log = InferenceLog() if keeps_calls else RoyaltyLog()
        self._rules = {"launch": ExecutionRules(OSAKA, ai_additions(host, self.log))}

    def rules(self, number: int) -> ExecutionRules:
        """Return the rules for a block's height."""
        return self._rules[fork_at(number).name]
