"""Where a model stands on its way: stage by stage, what is missing, and what comes next."""

from dataclasses import dataclass

from models_registry.chunks import chunk_count
from models_registry.cli.amounts import ether_text
from models_registry.cli.attested import Attested
from models_registry.cli.chain_client import RegisteredModel
from models_registry.cli.node_client import NodeStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """What chain and node say of a model; `size_bytes` is None where nobody knows it."""

    identity: bytes
    size_bytes: int | None
    height: int
    block_time_s: float
    deadline: int
    entry: RegisteredModel
    node: NodeStatus
    attested: Attested

    @property
    def last_height(self) -> int:
        """Return the last block in which a PENDING model can be activated."""
        return self.entry.registered_at + self.deadline


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: whether it is done, and what there is to say of it."""

    name: str
    is_done: bool
    detail: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next; `height` is the block at which it comes or ends, None where none is set."""

    what: str
    height: int | None = None


def stages(facts: Facts) -> list[Stage]:
    """Return the stages of the present registration, in order."""
    node, entry = facts.node, facts.entry
    is_registered = node.status in ("pending", "active", "retired")
    is_activated = is_registered and entry.activation_height > 0
    found = [Stage("bytes", node.has_bytes, _bytes_text(facts))]
    if not is_registered:
        was = "expired" if node.status == "expired" else "not registered"
        return [*found, Stage("registered", False, was)]
    found.append(Stage("registered", True, _registered_text(facts)))
    if is_activated:
        found.append(Stage("attested", True, "more than 2/3 of the validators signed the record"))
    else:
        found.append(Stage("attested", facts.attested.is_enough, _attested_text(facts)))
    found.append(_active_stage(facts, is_activated))
    if entry.retirement_height:
        found.append(
            Stage("retired", node.status == "retired", f"from block {entry.retirement_height:,}")
        )
    return found


def next_step(facts: Facts) -> NextStep:
    """Return what has to happen, or will happen, next."""
    entry, status = facts.entry, facts.node.status
    if status == "pending":
        return _next_of_pending(facts)
    if status == "active" and entry.retirement_height:
        return NextStep("nobody can call it any more", entry.retirement_height)
    if status == "active" and entry.royalty_height > facts.height:
        return NextStep(
            f"an item pays {entry.next_royalty_gas:,} gas of royalty", entry.royalty_height
        )
    name = f"0x{facts.identity.hex()}"
    if status == "active":
        return NextStep(f"contracts and `cvm model infer {name}` can call it")
    if facts.node.has_bytes:
        return NextStep("register it: `cvm model register FILE`")
    return NextStep("bring the bytes here and register it: `cvm model register FILE`")


def _next_of_pending(facts: Facts) -> NextStep:
    entry, last = facts.entry, facts.last_height
    if entry.activation_height:
        return NextStep("contracts can call it", entry.activation_height)
    if facts.height >= last:
        return NextStep(
            f"its time is over: `cvm model expire 0x{facts.identity.hex()}` gives the deposit back"
        )
    if facts.node.refusal is not None:
        return NextStep(
            f"the validator refuses it ({facts.node.refusal}): it can expire after", last
        )
    if not facts.node.has_bytes:
        return NextStep("bring the bytes: `cvm model push FILE`, before", last)
    if not facts.attested.is_enough:
        lacking = facts.attested.needed - len(facts.attested.signatures)
        return NextStep(f"{lacking} more of the validators attest it, before", last)
    return NextStep("anyone activates it: `cvm model register FILE` does, before", last)


def _bytes_text(facts: Facts) -> str:
    if facts.size_bytes is None:
        return "here" if facts.node.has_bytes else "not whole here; name the file to count chunks"
    count = chunk_count(facts.size_bytes)
    missing = facts.node.missing_chunks
    text = f"{count - len(missing)} of {count} chunks at the node"
    return f"{text}; missing: {_ranges(missing)}" if missing else text


def _ranges(indices: tuple[int, ...]) -> str:
    """Return ascending numbers as people write them: `0, 3-7`."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1][1:] = [index]
        else:
            runs.append([index])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _registered_text(facts: Facts) -> str:
    entry = facts.entry
    deposit = f", deposit {ether_text(entry.deposit)}" if entry.deposit else ""
    return f"block {entry.registered_at:,}, owner 0x{entry.owner.hex()}{deposit}"


def _attested_text(facts: Facts) -> str:
    if facts.node.refusal is not None:
        return f"refused: {facts.node.refusal}"
    attested = facts.attested
    return (
        f"{len(attested.signatures)} of {attested.needed} signatures that it takes, "
        f"of {attested.validators} validators"
    )


def _active_stage(facts: Facts, is_activated: bool) -> Stage:
    if not is_activated:
        return Stage("active", False, "not activated yet")
    is_active = facts.node.status != "pending"
    return Stage("active", is_active, f"from block {facts.entry.activation_height:,}")
