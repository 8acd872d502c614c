"""Jobs that misbehave, for worker processes: they are imported there by name."""

import os
from dataclasses import dataclass
from time import process_time

from cvm.faults import ModelDataMissing
from node.execution.execution_chain import ExecutionChain
from node.execution.inference_jobs import own_chain


@dataclass(frozen=True, slots=True)
class ProcessJob:
    """Tells which process runs it."""

    def run(self, chain: ExecutionChain) -> tuple[int, int]:
        return os.getpid(), chain.chain_id


@dataclass(frozen=True, slots=True)
class BackendJob:
    """Tells what the process runs models with, and what it has put aside."""

    def run(self, chain: ExecutionChain) -> tuple[str, str | None]:
        host = own_chain(chain).host
        return host.backend_name, host.quarantined


@dataclass(frozen=True, slots=True)
class EndlessJob:
    """Never ends by itself."""

    def run(self, chain: ExecutionChain) -> None:
        while chain.chain_id:
            pass


@dataclass(frozen=True, slots=True)
class DyingJob:
    """Takes its process with it."""

    def run(self, chain: ExecutionChain) -> None:
        os._exit(chain.chain_id % 3)


@dataclass(frozen=True, slots=True)
class MissingModelJob:
    """Wants a model that is not here."""

    model_id: bytes

    def run(self, chain: ExecutionChain) -> None:
        assert chain.chain_id
        raise ModelDataMissing(self.model_id)


@dataclass(frozen=True, slots=True)
class BrokenJob:
    """Does what nobody foresaw."""

    def run(self, chain: ExecutionChain) -> int:
        return 1 // (chain.chain_id - chain.chain_id)


@dataclass(frozen=True, slots=True)
class LongJob:
    """Is at work for so many seconds, and tells which process was."""

    seconds: float

    def run(self, chain: ExecutionChain) -> int:
        end_s = process_time() + self.seconds
        while process_time() < end_s:
            pass
        return chain.chain_id and os.getpid()
