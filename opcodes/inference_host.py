"""What the AI opcodes ask of the node that runs them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from opcodes.gas import INFER_BASE, InferenceGas


class InferenceHost(Protocol):
    """Runs registered models; the node implements it with a store, plans and a backend."""

    def run(self, model_id: bytes, data: bytes) -> bytes:
        """Run a batch of packed items and return the packed outputs.

        Raises an `InferenceFault`, the same on every machine, or a `LocalFault`
        (`ModelDataMissing` where the bytes are not here).
        """


@dataclass(frozen=True, slots=True)
class InferenceCall:
    """One call that was charged: what a tracer shows and a disagreement names.

    `output` is the packed output, or the selector of the error where `ok` is False. `input` is
    empty where the model was not run. `owner` had the model then; it is empty where none is ACTIVE.
    """

    model_id: bytes
    owner: bytes
    ok: bool
    gas: InferenceGas
    input: bytes
    output: bytes

    @property
    def has_run(self) -> bool:
        """Tell whether the model was run; a call that was refused first pays its base only."""
        return self.gas.total > INFER_BASE


@dataclass(slots=True)
class InferenceLog:
    """The calls of the transaction that runs, also those of frames that reverted later."""

    calls: list[InferenceCall] = field(default_factory=list)

    def add(self, call: InferenceCall) -> None:
        """Note a call."""
        self.calls.append(call)

    def take(self) -> tuple[InferenceCall, ...]:
        """Return the calls since the last `take` and forget them."""
        calls = tuple(self.calls)
        self.calls.clear()
        return calls

    def __iter__(self) -> Iterator[InferenceCall]:
        return iter(self.calls)

    def royalties(self) -> list[tuple[bytes, int]]:
        """Return owner and royalty gas of every call that returned 1 and pays one."""
        paid = [call for call in self.calls if call.ok and call.gas.royalty]
        return [(call.owner, call.gas.royalty) for call in paid]

    @property
    def gas(self) -> int:
        """Return the inference gas of the calls, without royalty (PROTOCOL section 1)."""
        return sum(call.gas.total - call.gas.royalty for call in self.calls)


class RoyaltyLog(InferenceLog):
    """Keeps only who is owed a royalty: for messages and replays whose calls nobody reads."""

    def add(self, call: InferenceCall) -> None:
        """Note a call without its bytes where it pays a royalty."""
        if call.ok and call.gas.royalty:
            self.calls.append(replace(call, input=b"", output=b""))
