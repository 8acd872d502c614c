"""Which chunk of which model to ask of whom: a plan without I/O; time comes in with each call."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

MAX_ASKED = 32
"""Chunks that are asked for at once, of 256 KiB each."""
MAX_ASKED_OF_PEER = 4
SLOW_AFTER_S = 3.0
"""A chunk that takes longer is asked of another peer as well, once nothing else is left."""


@dataclass(frozen=True, slots=True)
class WantedChunk:
    """A chunk of a model of a size that the registry says."""

    model_id: bytes
    size_bytes: int
    index: int


@dataclass(slots=True)
class WantedModel:
    """The chunks of one model that are not here, and who was asked for which, since when."""

    size_bytes: int
    missing: set[int]
    asked: dict[int, dict[bytes, float]] = field(default_factory=dict)


class ChunkPlan:
    """The models that are missing, in the order in which they are wanted."""

    def __init__(self) -> None:
        self._models: dict[bytes, WantedModel] = {}
        self._of_peer: dict[bytes, int] = {}

    @property
    def models(self) -> tuple[bytes, ...]:
        """Return the models that are missing."""
        return tuple(self._models)

    def want(self, wanted: Mapping[bytes, tuple[int, Collection[int]]]) -> None:
        """Replace what is wanted: size and missing chunks by model; what is under way goes on."""
        asked = {model_id: model.asked for model_id, model in self._models.items()}
        self._models = {
            model_id: WantedModel(size_bytes, set(missing), asked.get(model_id, {}))
            for model_id, (size_bytes, missing) in wanted.items()
        }

    def take(self, node_id: bytes, has: Collection[bytes], now_s: float) -> WantedChunk | None:
        """Return a chunk to ask a peer for, of the models that it has."""
        if self._of_peer.get(node_id, 0) >= MAX_ASKED_OF_PEER or self.asked >= MAX_ASKED:
            return None
        for model_id, model, index in self._candidates(node_id, has, now_s):
            model.asked.setdefault(index, {})[node_id] = now_s
            self._of_peer[node_id] = self._of_peer.get(node_id, 0) + 1
            return WantedChunk(model_id, model.size_bytes, index)
        return None

    @property
    def asked(self) -> int:
        """Return how many requests are under way."""
        return sum(self._of_peer.values())

    def _candidates(
        self, node_id: bytes, has: Collection[bytes], now_s: float
    ) -> Iterator[tuple[bytes, WantedModel, int]]:
        """Yield what nobody was asked for, then what one other peer is slow with."""
        owned = [(model_id, model) for model_id, model in self._models.items() if model_id in has]
        for model_id, model in owned:
            for index in sorted(model.missing):
                if not model.asked.get(index):
                    yield model_id, model, index
        for model_id, model in owned:
            for index in sorted(model.missing):
                askers = model.asked.get(index, {})
                is_slow = askers and max(askers.values()) <= now_s - SLOW_AFTER_S
                if is_slow and node_id not in askers:
                    yield model_id, model, index

    def give_back(self, chunk: WantedChunk, node_id: bytes) -> None:
        """Note that a request has ended, whichever way."""
        self._of_peer[node_id] -= 1
        if not self._of_peer[node_id]:
            del self._of_peer[node_id]
        model = self._models.get(chunk.model_id)
        if model is not None:
            model.asked.get(chunk.index, {}).pop(node_id, None)

    def got(self, chunk: WantedChunk) -> bool:
        """Note that a chunk is here; tell whether it was the last one of its model."""
        model = self._models.get(chunk.model_id)
        if model is None:
            return False
        model.missing.discard(chunk.index)
        return not model.missing

    def slow_after(self, now_s: float) -> float | None:
        """Return when the next request becomes slow."""
        times = [
            since + SLOW_AFTER_S
            for model in self._models.values()
            for index, askers in model.asked.items()
            if index in model.missing
            for since in askers.values()
        ]
        return min((at_s for at_s in times if at_s > now_s), default=None)
