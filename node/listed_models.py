"""Which models the registry lists at the head, and which of them every node must hold."""

from threading import Lock

from models_registry.addresses import MODEL_REGISTRY
from models_registry.registry import RegistryStatus, read_entry, read_model_ids, read_status
from node.chain import Chain
from node.storage.model_store import ModelStore

Listed = tuple[dict[bytes, int], tuple[bytes, ...]]


class ListedModels:
    """Reads the registry again only when its storage has changed; any thread may ask."""

    def __init__(self, chain: Chain, store: ModelStore) -> None:
        self._chain = chain
        self._store = store
        self._lock = Lock()
        self._root = b""
        self._listed: Listed = ({}, ())

    def wanted(self) -> dict[bytes, int]:
        """Return the sizes of ACTIVE models and then of PENDING ones."""
        return self._read()[0]

    def size_of(self, model_id: bytes) -> int | None:
        """Return the size of a registered model."""
        storage = self._chain.storage_at(self._chain.head)
        entry = read_entry(storage, model_id, self._chain.head.block_number + 1)
        return None if entry is None else entry.size_bytes

    def missing_active(self) -> tuple[bytes, ...]:
        """Return the models that a block may run and whose bytes are not here."""
        return tuple(model_id for model_id in self._read()[1] if not self._store.has(model_id))

    def _read(self) -> Listed:
        head = self._chain.head
        with self._chain.state_at(head) as state:
            registry = state.account(MODEL_REGISTRY)
        root = b"" if registry is None else registry.storage_root
        with self._lock:
            if root == self._root:
                return self._listed
        listed = self._read_all()
        with self._lock:
            self._root, self._listed = root, listed
        return listed

    def _read_all(self) -> Listed:
        """Read every entry; what `activate` went through for counts as ACTIVE already."""
        head = self._chain.head
        storage, height = self._chain.storage_at(head), head.block_number + 1
        active: dict[bytes, int] = {}
        pending: dict[bytes, int] = {}
        for model_id in read_model_ids(storage):
            status = read_status(storage, model_id, height)
            if status not in (RegistryStatus.ACTIVE, RegistryStatus.PENDING):
                continue
            entry = read_entry(storage, model_id, height)
            if entry is not None:
                into = pending if entry.record is None else active
                into[model_id] = entry.size_bytes
        return active | pending, tuple(active)
