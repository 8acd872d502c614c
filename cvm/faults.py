"""The family of faults that belong to this machine alone, whatever part of it broke.

* LocalFault - this node cannot answer, another one can: stop its vote, judge nobody
  - DeviceFault          a GPU or its driver failed
  - UnknownBackend       the configuration names a backend that does not exist
  - OutOfMemory          the machine's memory cannot hold one inference
  - BackendDisagrees     a backend failed its self-test
  - ModelDataMissing     the bytes of an ACTIVE model are not on this disk
  - DatabaseFault        the database on disk cannot be opened, read or written
    + MissingTrieNode    it lacks a node of a state
    + MissingCode        it lacks the code of an account

`LocalFault` is no `Halt` of the EVM, which would make it a failed frame and so part of a block.
"""


class LocalFault(Exception):
    """This machine cannot answer; another one can, so no verdict may follow from it."""


class DeviceFault(LocalFault):
    """A GPU, its driver or its memory failed in the middle of an inference."""

    def __init__(self, backend: str, reason: str) -> None:
        super().__init__(f"backend {backend!r} failed: {reason}")
        self.backend = backend
        self.reason = reason


class UnknownBackend(LocalFault):
    """The configuration names a backend that does not exist."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no backend {name!r}; there are {', '.join(known)}")
        self.name = name


class OutOfMemory(LocalFault):
    """The machine's memory cannot hold one inference."""

    def __init__(self, needed_bytes: int) -> None:
        super().__init__(f"out of memory in an inference that needs {needed_bytes} bytes")
        self.needed_bytes = needed_bytes


class BackendDisagrees(LocalFault):
    """A backend gave other bytes than a golden vector; it must not be used."""

    def __init__(self, backend: str, vector: str, expected: str, actual: str) -> None:
        super().__init__(
            f"backend {backend!r} fails the self-test at vector {vector!r}: "
            f"expected {expected}, got {actual}"
        )
        self.backend = backend
        self.vector = vector


class ModelDataMissing(LocalFault):
    """A block runs a model whose bytes this node does not hold."""

    def __init__(self, model_id: bytes) -> None:
        super().__init__(f"model data not available: 0x{model_id.hex()}")
        self.model_id = model_id


class DatabaseFault(LocalFault):
    """The database on disk cannot be opened, read or written."""


class MissingTrieNode(DatabaseFault):
    """A node of a state trie is not there: the state was pruned, or the disk lost it."""

    def __init__(self, node_hash: bytes) -> None:
        super().__init__(f"the database has no trie node {node_hash.hex()}")
        self.node_hash = node_hash


class MissingCode(DatabaseFault):
    """The code of an account is not there."""

    def __init__(self, code_hash: bytes) -> None:
        super().__init__(f"the database has no code {code_hash.hex()}")
        self.code_hash = code_hash
