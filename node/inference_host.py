"""Runs registered models for the opcodes: store, checked model, proven backend, plan."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from cvm.inference.backends.backend import Backend, Plan, Trace
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import NodeTrace, run_items, trace_items
from cvm.inference.faults import InferenceFault
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_type import Array
from node.backend_proof import BackendProof
from node.divergence import Divergence, first_difference
from node.storage.model_store import ModelStore
from opcodes import errors
from opcodes.inference_host import InferenceCall

PLAN_BUDGET_BYTES = 1 << 30
"""What a host keeps unless told otherwise: weights and activations of all plans together."""


REFERENCE = "reference"
RunWatcher = Callable[[bytes, str, float], None]
"""Hears of model id, backend and duration in seconds of every run."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checked model and its plan on this node's backend."""

    model: Model
    plan: Plan

    @property
    def size_bytes(self) -> int:
        """Return what the plan is counted with against the budget."""
        return self.model.cost.peak_bytes + self.model.cost.weight_bytes


class NobodyAsks(Exception):
    """What is being run is not wanted any more."""


@dataclass(frozen=True, slots=True)
class WhileWanted:
    """A plan that runs one item after the other until `is_over`; then it raises `NobodyAsks`."""

    plan: Plan
    is_over: Callable[[], bool]

    def run(self, inputs: Sequence[Array], trace: Trace | None = None) -> tuple[Array, ...]:
        """Run one item."""
        if self.is_over():
            raise NobodyAsks
        return self.plan.run(inputs, trace)


class NodeInferenceHost:
    """The `InferenceHost` of a node; safe to call from any thread, one inference at a time.

    Plans over the budget go, the least recently used one first.
    """

    def __init__(
        self, store: ModelStore, backend: Backend, budget_bytes: int = PLAN_BUDGET_BYTES
    ) -> None:
        self._budget_bytes = budget_bytes
        self._store = store
        self._backend = backend
        self._proof = BackendProof(backend)
        self._plans: OrderedDict[bytes, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()
        self._quarantined: str | None = None
        self._watcher: RunWatcher | None = None

    def watch_runs(self, watcher: RunWatcher) -> None:
        """Tell `watcher`, on the thread that ran it, of every run from now on."""
        self._watcher = watcher

    @property
    def backend_name(self) -> str:
        """Return the name of the backend in use."""
        return self._backend.name

    def run(self, model_id: bytes, data: bytes) -> bytes:
        """Run a batch; raises an `InferenceFault` or a `LocalFault`."""
        with self._lock:
            loaded = self._loaded(model_id)
            began_s = perf_counter()
            try:
                return run_items(loaded.plan, loaded.model, data)
            finally:
                if self._watcher is not None:
                    self._watcher(model_id, self._backend.name, perf_counter() - began_s)

    def trace(self, model_id: bytes, data: bytes) -> tuple[NodeTrace, ...]:
        """Run a batch and return what each node made; none where the input is out of range.

        Raises a `LocalFault`.
        """
        with self._lock:
            loaded = self._loaded(model_id)
            try:
                _output, nodes = trace_items(loaded.plan, loaded.model, data)
            except InferenceFault:
                return ()
        return nodes

    def model(self, model_id: bytes) -> Model:
        """Return a checked model; raises `ModelDataMissing` or `InvalidModel`."""
        with self._lock:
            return self._loaded(model_id).model

    def has(self, model_id: bytes) -> bool:
        """Tell whether the bytes of a model lie in the store."""
        return self._store.has(model_id)

    @property
    def quarantined(self) -> str | None:
        """Return the name of the backend that was found wrong and is not used any more."""
        return self._quarantined

    def compare_with_reference(
        self, call: InferenceCall, is_over: Callable[[], bool] = lambda: False
    ) -> Divergence | None:
        """Re-run a call on the definition; return how the backend's answer differs, if it does.

        A call that was refused before it ran is the registry's answer, not a backend's. None, too,
        once `is_over` says that nobody asks any more. Raises a `LocalFault`.
        """
        if not call.has_run or is_over():
            return None
        with self._lock:
            loaded, name = self._loaded(call.model_id), self._backend.name
        definition = backend_named(REFERENCE).plan(loaded.model.graph)
        try:
            ok, output, nodes = traced(WhileWanted(definition, is_over), loaded.model, call.input)
        except NobodyAsks:
            return None
        if (ok, output) == (call.ok, call.output):
            return None
        with self._lock:
            _ok, _output, ours = traced(loaded.plan, loaded.model, call.input)
        return Divergence(name, call.model_id, first_difference(nodes, ours))

    def quarantine(self) -> None:
        """Use the definition from now on, until the process starts anew."""
        with self._lock:
            if self._quarantined is not None:
                return
            self._quarantined = self._backend.name
            self._backend = backend_named(REFERENCE)
            self._proof = BackendProof(self._backend)
            self._plans.clear()

    def _loaded(self, model_id: bytes) -> LoadedModel:
        loaded = self._plans.get(model_id)
        if loaded is not None:
            self._plans.move_to_end(model_id)
            return loaded
        model = parse_model(self._store.read(model_id))
        self._proof.prove(model.graph)
        loaded = LoadedModel(model, self._backend.plan(model.graph))
        self._plans[model_id] = loaded
        self._evict(keep=model_id)
        return loaded

    def _evict(self, keep: bytes) -> None:
        total = sum(loaded.size_bytes for loaded in self._plans.values())
        for model_id in list(self._plans):
            if total <= self._budget_bytes or model_id == keep:
                return
            total -= self._plans.pop(model_id).size_bytes


def traced(plan: Plan, model: Model, data: bytes) -> tuple[bool, bytes, tuple[NodeTrace, ...]]:
    """Run a batch; return what the opcode would, and what each node made of it."""
    try:
        output, nodes = trace_items(plan, model, data)
    except InferenceFault:
        return False, errors.INPUT_OUT_OF_RANGE, ()
    return True, output, nodes
