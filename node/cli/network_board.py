"""The table of `cvm testnet`: what each node says of itself, and what that means for the chain."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from consensus.certificate import quorum
from node.clock import now_s
from node.network_process import NetworkProcess, NoAnswer
from node.readiness import Phase

HEADINGS = ("node", "JSON-RPC", "height", "round", "peers", "status")
NUMBERS = ("height", "round", "peers")
WHOLE = ("node", "JSON-RPC")
"""What a user copies: a line must fit into 80 columns."""

READY = str(Phase.READY)
STARTING, NO_ANSWER, STOPPED = "starting", "no answer", "stopped"
COLOURS = {READY: "green", STARTING: "yellow", str(Phase.SYNCING): "yellow"}
OTHER_COLOUR = "red"
MODEL_ID = re.compile(r"0x([0-9a-f]{8})[0-9a-f]{56}")
SHOWN_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block of a node."""

    height: int
    block_hash: str
    time_s: int


@dataclass(frozen=True, slots=True)
class NodeLine:
    """What one node says of itself; without a head it did not answer."""

    name: str
    url: str
    is_validator: bool
    status: str
    head: Head | None = None
    round: int = 0
    peers: int = 0

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is shown, but for the status."""
        if self.head is None:
            return self.name, self.url, "-", "-", "-"
        return self.name, self.url, str(self.head.height), str(self.round), str(self.peers)


class Board:
    """Asks the nodes of a network, and remembers which of them have answered once."""

    def __init__(self, nodes: Sequence[NetworkProcess]) -> None:
        self._nodes = nodes
        self._answered: set[str] = set()

    async def table(self) -> Table:
        """Return the table of now."""
        lines = await asyncio.gather(*map(self._ask, self._nodes))
        return table_of(lines, now_s())

    async def _ask(self, node: NetworkProcess) -> NodeLine:
        place = node.place
        is_validator = place.validator is not None
        try:
            block = await node.call("eth_getBlockByNumber", "latest", False)
            peers = await node.call("net_peerCount")
            status = await node.call("cvm_nodeStatus")
        except NoAnswer:
            return NodeLine(place.name, place.url, is_validator, self._silence(node))
        self._answered.add(place.name)
        return NodeLine(
            place.name,
            place.url,
            is_validator,
            status["status"],
            Head(int(block["number"], 16), block["hash"], int(block["timestamp"], 16)),
            int(status["round"], 16),
            int(peers, 16),
        )

    def _silence(self, node: NetworkProcess) -> str:
        """Say why a node does not answer."""
        if node.place.name not in self._answered:
            return STARTING
        return NO_ANSWER if node.is_running else STOPPED


def table_of(lines: Sequence[NodeLine], now: int) -> Table:
    """Return the table of a network's nodes at a time in seconds since 1970."""
    table = Table(box=box.SIMPLE_HEAD, caption=summary(lines, now), caption_justify="left")
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in NUMBERS else "left",
            no_wrap=heading in WHOLE,
        )
    for line in lines:
        colour = COLOURS.get(line.status, OTHER_COLOUR)
        table.add_row(*line.cells(), Text(MODEL_ID.sub(r"0x\1…", line.status), style=colour))
    return table


def summary(lines: Sequence[NodeLine], now: int) -> str:
    """Say in one line whether the chain goes on."""
    voters = [line for line in lines if line.is_validator]
    ready = sum(line.status == READY for line in voters)
    needed = quorum(len(voters))
    votes = f"{ready} of {len(voters)} validators ready, {needed} are needed"
    if ready < needed:
        coming = sum(line.status == STARTING for line in voters)
        is_start = ready + coming >= needed
        votes += ": the others start" if is_start else ": no block can become final"
    heads = [line.head for line in lines if line.head is not None]
    if not heads:
        return votes
    forked = sorted({head.height for head in heads if is_forked(head, heads)})
    if forked:
        return f"TWO BLOCKS at height {forked[0]}; {votes}"
    newest = max(heads, key=lambda head: head.height)
    short = newest.block_hash[:SHOWN_DIGITS]
    return f"block {newest.height} ({short}), {max(now - newest.time_s, 0)} s old; {votes}"


def is_forked(head: Head, heads: Sequence[Head]) -> bool:
    """Tell whether another node shows another block at this height."""
    return any(
        other.height == head.height and other.block_hash != head.block_hash for other in heads
    )
