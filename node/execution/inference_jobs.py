"""The work behind the cvm_ methods that show inferences: blocks of our own chain run again."""

import time
from dataclasses import dataclass

from cvm.inference.engine import NodeTrace
from models_registry.interface import ModelInterface
from node.execution.execution_chain import ExecutionChain
from node.execution.faults import ExecutionTimedOut, NoModelsHere
from node.execution.own_chain import OwnExecutionChain
from node.inference_host import NodeInferenceHost
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace

COMPARE_TIME_S = 4.5
"""Of a comparison with the definition: below the deadline of a worker, which would end with it."""


@dataclass(frozen=True, slots=True)
class TransactionInferencesJob:
    """Run a block up to a transaction; all its inferences, or the one at a place of it.

    Of each, what every node of the model made, where `with_nodes` asks for it.
    """

    block_hash: bytes
    index: int
    place: int | None = None
    with_nodes: bool = False

    def run(self, chain: ExecutionChain) -> tuple[InferenceTrace, ...]:
        """Return the inferences in order; raises a `LocalFault`."""
        own = own_chain(chain)
        calls = enumerate(own.transaction_inferences(self.block_hash, self.index))
        return tuple(
            InferenceTrace(place, call, self._nodes(own.host, call))
            for place, call in calls
            if self.place in (None, place)
        )

    def _nodes(self, host: NodeInferenceHost, call: InferenceCall) -> tuple[NodeTrace, ...] | None:
        if not self.with_nodes:
            return None
        return host.trace(call.model_id, call.input) if call.has_run else ()


@dataclass(frozen=True, slots=True)
class BlockInferencesJob:
    """Run a block again for all its inferences."""

    block_hash: bytes

    def run(self, chain: ExecutionChain) -> list[tuple[int, InferenceTrace]]:
        """Return each with its transaction's index; raises a `LocalFault`."""
        return [
            (index, InferenceTrace(place, call))
            for index, calls in enumerate(own_chain(chain).block_inferences(self.block_hash))
            for place, call in enumerate(calls)
        ]


@dataclass(frozen=True, slots=True)
class CompareInferenceJob:
    """Run an inference on the definition, and compare what a block had of it."""

    call: InferenceCall
    timeout_s: float = COMPARE_TIME_S

    def run(self, chain: ExecutionChain) -> bool:
        """Tell whether every bit is the same; raises `ExecutionTimedOut` or a `LocalFault`."""
        ends_at = time.thread_time() + self.timeout_s

        def is_over() -> bool:
            return time.thread_time() >= ends_at

        divergence = own_chain(chain).host.compare_with_reference(self.call, is_over)
        if divergence is None and is_over():
            raise ExecutionTimedOut(self.timeout_s)
        return divergence is None


@dataclass(frozen=True, slots=True)
class ModelInterfaceJob:
    """Read what a model takes and gives from its file."""

    model_id: bytes

    def run(self, chain: ExecutionChain) -> ModelInterface:
        """Return inputs and outputs; raises `ModelDataMissing` or `InvalidModel`."""
        model = own_chain(chain).host.model(self.model_id)
        return ModelInterface(model.graph.inputs, model.graph.outputs, model.batchable)


@dataclass(frozen=True, slots=True)
class QuarantineJob:
    """Use the definition from now on, because the node's backend was found wrong."""

    def run(self, chain: ExecutionChain) -> None:
        """Put the backend of this process aside."""
        own_chain(chain).host.quarantine()


def own_chain(chain: ExecutionChain) -> OwnExecutionChain:
    """Return a chain that runs models; raises `NoModelsHere`."""
    if not isinstance(chain, OwnExecutionChain):
        raise NoModelsHere
    return chain
