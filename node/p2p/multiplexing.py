"""Which capabilities two peers share, and which message codes of the session each one has.

Of one name the highest version runs that both have; the shared ones follow the base protocol's
sixteen codes in alphabetical order, each with as many codes as it has messages ("Message Contents"
and "Capability Messaging" in the RLPx specification).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cvm.evm.rlp_encoding import encode_integer
from cvm.evm.strict_rlp import BadRlp, read_header
from node.p2p.faults import BadMessage
from node.p2p.frames import MAX_FRAME_BYTES
from node.p2p.hello import BASE_LENGTH, MAX_BASE_BYTES
from node.p2p.protocol import Handler

MAX_CODE_BYTES = 2

Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Shared:
    """A capability that both sides speak, and its first code in their session."""

    handler: Handler
    offset: int


@dataclass(frozen=True, slots=True)
class Route(Generic[Target]):
    """Who takes a range of codes."""

    start: int
    end: int
    target: Target


def share(ours: Iterable[Handler], theirs: Iterable[tuple[str, int]]) -> tuple[Shared, ...]:
    """Return what both speak, by name; the same on both sides."""
    spoken = set(theirs)
    best: dict[str, Handler] = {}
    for handler in sorted(ours, key=lambda each: each.capability):
        capability = handler.capability
        if (capability.name, capability.version) in spoken:
            best[capability.name] = handler  # of one name, the last is the highest
    shared = []
    offset = BASE_LENGTH
    for name in sorted(best):
        shared.append(Shared(best[name], offset))
        offset += best[name].capability.length
    return tuple(shared)


def find_route(routes: Sequence[Route[Target]], code: int) -> Route[Target]:
    """Return who takes a code, of routes in order; raises `BadMessage` where nobody does."""
    place = bisect_right(routes, code, key=lambda route: route.start) - 1
    if place < 0 or code >= routes[place].end:
        raise BadMessage(f"no shared capability has the code {code}")
    return routes[place]


def join_code(code: int, payload: bytes) -> bytes:
    """Return the content of a frame: the code as RLP has it, then the payload."""
    return encode_integer(code) + payload


def split_code(content: bytes) -> tuple[int, bytes]:
    """Return the code and the payload of a frame; raises `BadMessage`."""
    try:
        is_list, start, end = read_header(content, 0, len(content))
    except (BadRlp, IndexError) as error:
        raise BadMessage(f"a frame without a code: {error}") from error
    if is_list or end - start > MAX_CODE_BYTES:
        raise BadMessage("a frame whose code is no small number")
    return int.from_bytes(content[start:end], "big"), content[end:]


def longest_frame(shared: Iterable[Shared]) -> int:
    """Return how long a frame can be that holds a message of one of the capabilities."""
    longest = max(
        (kind.MAX_LENGTH for each in shared for kind in each.handler.messages.values()), default=0
    )
    return min(MAX_FRAME_BYTES, MAX_BASE_BYTES + longest + longest // 6)  # snappy: 32 + n + n / 6
