"""What is remembered of other nodes across restarts: where they are, and who is banned.

It is bounded and lies in one JSON file that is replaced whole. Points fade, so that only a peer
that breaks rules again and again, or breaks a grave one, comes to the bound.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from node.clock import now_s
from node.p2p.discv5.enr import BadRecord, NodeRecord, parse_record
from node.p2p.enode import Enode, parse_enode

log = structlog.get_logger(__name__)

MAX_RECORDS = 1000
BAN_POINTS = 100
FADING_PER_S = 0.1
FIRST_BAN_S = 600
LONGEST_BAN_S = 24 * 3600
STATIC_BAN_S = 30
"""A ban of a node that this one is told to keep a session with: short, so that it comes back."""
DIAL_AGAIN_S = 10
LONGEST_DIAL_AGAIN_S = 1800
FORMAT = 2


@dataclass(slots=True)
class Record:
    """One node; times are Unix times in whole seconds, 0 for never."""

    enode: str
    """Where it listens; empty when nobody said."""
    enr: str = ""
    """What it says of itself, signed (EIP-778); empty where discovery has not met it."""
    seen_s: int = 0
    failures: int = 0
    """Dials in a row that led to no session."""
    dial_after_s: int = 0
    points: float = 0.0
    points_at_s: int = 0
    bans: int = 0
    banned_until_s: int = 0


class PeerBook:
    """Records by node id; everything but `save` and loading is in memory."""

    def __init__(
        self,
        path: Path | None,
        clock: Callable[[], int] = now_s,
        max_records: int = MAX_RECORDS,
    ) -> None:
        self._path = path
        self._clock = clock
        self._max_records = max_records
        self._records: dict[bytes, Record] = dict(load_records(path)) if path is not None else {}
        self.is_changed = False

    def __len__(self) -> int:
        return len(self._records)

    def note(self, enode: Enode, *, is_guess: bool = False) -> None:
        """Remember where a node listens; a guess does not replace what is known."""
        record = self._record(enode.node_id)
        if not (is_guess and record.enode):
            record.enode = str(enode)

    def note_record(self, node_id: bytes, enr: str) -> None:
        """Remember the signed record of a node that discovery has met."""
        self._record(node_id).enr = enr

    def forget(self, node_id: bytes) -> None:
        """Drop what is known of a node, its ban too."""
        self.is_changed |= self._records.pop(node_id, None) is not None

    def opened(self, node_id: bytes) -> None:
        """Note that a session with the node has opened."""
        self._record(node_id).seen_s = self._clock()

    def settled(self, node_id: bytes) -> None:
        """Note that a session with the node lasted: it may be dialled again at once."""
        record = self._record(node_id)
        record.failures, record.dial_after_s = 0, 0

    def failed(self, node_id: bytes) -> None:
        """Note that dialling the node led to nothing; it is left alone for ever longer."""
        record = self._record(node_id)
        pause_s = min(DIAL_AGAIN_S << min(record.failures, 16), LONGEST_DIAL_AGAIN_S)
        record.failures += 1
        record.dial_after_s = self._clock() + pause_s

    def penalise(self, node_id: bytes, points: int, *, is_static: bool = False) -> bool:
        """Add points; tell whether that banned the node."""
        now = self._clock()
        record = self._record(node_id)
        record.points = self._points(record) + points
        record.points_at_s = now
        if record.points < BAN_POINTS:
            return False
        ban_s = min(FIRST_BAN_S << min(record.bans, 16), LONGEST_BAN_S)
        record.points = 0
        record.bans += 1
        record.banned_until_s = now + (STATIC_BAN_S if is_static else ban_s)
        return True

    def points(self, node_id: bytes) -> float:
        """Return how many points a node has now."""
        record = self._records.get(node_id)
        return 0.0 if record is None else self._points(record)

    def is_banned(self, node_id: bytes) -> bool:
        """Tell whether no session with the node may open now."""
        record = self._records.get(node_id)
        return record is not None and record.banned_until_s > self._clock()

    def candidates(self) -> Iterator[Enode]:
        """Give the nodes that may be dialled now, the most promising first."""
        for record in self._promising():
            if record.enode and record.dial_after_s <= self._clock():
                yield parse_enode(record.enode)

    def node_records(self) -> Iterator[NodeRecord]:
        """Give the signed records of nodes that are not banned, the most promising first."""
        for record in self._promising():
            if record.enr:
                yield parse_record(record.enr)

    def _promising(self) -> list[Record]:
        """Return who is not banned now: first those that were reached, and of late."""
        now = self._clock()
        found = [record for record in self._records.values() if record.banned_until_s <= now]
        return sorted(found, key=lambda each: (each.failures, -each.seen_s))

    def save(self) -> None:
        """Write the file, complete or not at all; a disk that fails is said in the log."""
        self.writer()()

    def writer(self) -> Callable[[], None]:
        """Return what writes the file as it should be now; another thread may call it."""
        self.is_changed = False
        return partial(save_text, self._path, self.encode())

    def encode(self) -> str:
        """Return the file's text."""
        peers = {node_id.hex(): asdict(record) for node_id, record in self._records.items()}
        return json.dumps({"format": FORMAT, "peers": peers}, indent=0)

    def _points(self, record: Record) -> float:
        faded = (self._clock() - record.points_at_s) * FADING_PER_S
        return max(0.0, record.points - max(0.0, faded))

    def _record(self, node_id: bytes) -> Record:
        self.is_changed = True
        record = self._records.get(node_id)
        if record is None:
            if len(self._records) >= self._max_records:
                self._drop_one()
            record = self._records[node_id] = Record("")
        return record

    def _drop_one(self) -> None:
        """Drop a node that nobody would miss: not banned, often out of reach, long not seen."""

        def worth(node_id: bytes) -> tuple[int, int, int]:
            record = self._records[node_id]
            return max(0, record.banned_until_s - self._clock()), -record.failures, record.seen_s

        del self._records[min(self._records, key=worth)]


def load_records(path: Path) -> Iterator[tuple[bytes, Record]]:
    """Give the records of a file; one that cannot be read is put aside and counts as empty."""
    if not path.exists():
        return
    try:
        found = list(_parse_records(json.loads(path.read_text())))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        BadRecord,
    ) as error:
        log.warning("peers forgotten", file=str(path), reason=str(error))
        path.replace(path.with_suffix(".damaged"))
        return
    yield from found[:MAX_RECORDS]


def _parse_records(document: dict[str, Any]) -> Iterator[tuple[bytes, Record]]:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r}, must be {FORMAT}")
    for node_id, entry in document["peers"].items():
        yield bytes.fromhex(node_id), _parse_record(entry)


def _parse_record(entry: dict[str, object]) -> Record:
    record = Record("")
    for field in fields(Record):
        value = entry[field.name]
        kind = type(getattr(record, field.name))
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ValueError(f"{field.name} is {value!r}")
        setattr(record, field.name, value)
    if record.enode:
        parse_enode(record.enode)
    if record.enr:
        parse_record(record.enr)
    return record


def save_text(path: Path | None, text: str) -> None:
    """Replace a file by one with this text that is safely on disk."""
    if path is None:
        return
    unfinished = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        log.warning("peers not saved", file=str(path), reason=str(error))
