"""What a transaction changed, in Parity's form: `stateDiff` of the trace_ methods.

For each account whose balance, nonce, code or storage is new: `=` for what stayed, `*` with `from`
and `to` for what changed, `+` for what came with the account and `-` for what went with it
(OpenEthereum, and Erigon's rpc/jsonrpc/trace_adhoc.go).
"""

from node.execution.execution_chain import LiveWorld
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data, quantity, word
from node.rpc.json_value import JsonValue
from node.tracing.prestate_tracer import Found, PrestateOptions, PrestateTracer
from node.tracing.transaction_tracer import TraceEnd

SAME = "="


class StateDiffTracer(PrestateTracer):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self, budget: TraceBudget) -> None:
        super().__init__(PrestateOptions(), budget)

    def result(self, _end: TraceEnd, /) -> JsonValue:
        """Return the accounts that changed."""
        differences: dict[str, JsonValue] = {}
        for address, found, world in self.touched():
            difference = account_difference(address, found, world)
            if difference is not None:
                differences[data(address)] = difference
        return differences


def account_difference(address: bytes, found: Found, world: LiveWorld) -> JsonValue:
    """Return what is new of an account, None where nothing is."""
    account = world.account(address)
    was_there, is_there = not found.is_empty, account.exists
    if not was_there and not is_there:
        return None
    slots = {slot: world.storage_at(address, slot) for slot in found.storage}
    storage: dict[str, JsonValue] = {}
    for slot, before in sorted(found.storage.items()):
        now = slots[slot]
        if before != now:
            storage[word(slot)] = difference(word(before), word(now), was_there, is_there)
    fields: dict[str, JsonValue] = {}
    for name, before_text, now_text in (
        ("balance", quantity(found.balance), quantity(account.balance)),
        ("code", data(found.code), data(world.code_at(address))),
        ("nonce", quantity(found.nonce), quantity(account.nonce)),
    ):
        fields[name] = difference(before_text, now_text, was_there, is_there)
    if not storage and all(value == SAME for value in fields.values()):
        return None
    return {**fields, "storage": storage}


def difference(before: str, now: str, was_there: bool, is_there: bool) -> JsonValue:
    """Return what became of one value."""
    if not was_there:
        return {"+": now}
    if not is_there:
        return {"-": before}
    return SAME if before == now else {"*": {"from": before, "to": now}}
