"""What the peer book remembers: bans that last, points that fade, bounds, and damaged files."""

import json
from pathlib import Path

import pytest

from node.p2p.ecies import node_id_of
from node.p2p.enode import Enode
from node.p2p.peer_book import PeerBook
from tests.p2p_servers import key_of
from tests.unit.node.p2p.discv5.discv5_world import record_at


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000

    def __call__(self) -> int:
        return self.now_s


def enode(number: int) -> Enode:
    return Enode(node_id_of(key_of(number)), "127.0.0.1", 30000 + number)


NODE = enode(1).node_id


def test_a_hundred_points_ban() -> None:
    book = PeerBook(None, Clock())
    assert not book.penalise(NODE, 60)
    assert not book.is_banned(NODE)
    assert book.penalise(NODE, 40)
    assert book.is_banned(NODE)


def test_points_fade() -> None:
    clock = Clock()
    book = PeerBook(None, clock)
    book.penalise(NODE, 60)
    clock.now_s += 300
    assert book.points(NODE) == 30
    assert not book.penalise(NODE, 69)
    clock.now_s += 10_000
    assert book.points(NODE) == 0


@pytest.mark.parametrize(
    ("bans", "seconds"),
    [
        pytest.param(1, 600, id="first"),
        pytest.param(2, 1200, id="second"),
        pytest.param(4, 4800, id="fourth"),
        pytest.param(30, 86_400, id="a day at most"),
    ],
)
def test_every_ban_is_longer(bans: int, seconds: int) -> None:
    clock = Clock()
    book = PeerBook(None, clock)
    for _ in range(bans):
        book.penalise(NODE, 100)
    clock.now_s += seconds - 1
    assert book.is_banned(NODE)
    clock.now_s += 1
    assert not book.is_banned(NODE)


def test_a_static_peer_is_banned_for_half_a_minute() -> None:
    clock = Clock()
    book = PeerBook(None, clock)
    book.penalise(NODE, 100, is_static=True)
    clock.now_s += 29
    assert book.is_banned(NODE)
    clock.now_s += 1
    assert not book.is_banned(NODE)


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "network" / "peers.json"
    book = PeerBook(path, clock)
    book.note(enode(1))
    book.opened(NODE)
    book.penalise(NODE, 7)
    book.note(enode(2))
    book.penalise(enode(2).node_id, 100)
    book.save()
    again = PeerBook(path, clock)
    assert again.points(NODE) == 7
    assert again.is_banned(enode(2).node_id)
    assert list(again.candidates()) == [enode(1)]


def test_signed_records_are_there_after_a_restart_but_for_those_of_the_banned(
    tmp_path: Path,
) -> None:
    clock = Clock()
    path = tmp_path / "peers.json"
    book = PeerBook(path, clock)
    for number in (1, 2, 3):
        book.note_record(enode(number).node_id, record_at(number).text())
    book.opened(enode(3).node_id)
    book.penalise(enode(2).node_id, 100)
    book.save()
    again = PeerBook(path, clock)
    assert list(again.node_records()) == [record_at(3), record_at(1)]
    assert list(again.candidates()) == []


DAMAGED = [
    pytest.param("", id="empty"),
    pytest.param("[" * 5000, id="deep"),
    pytest.param("[]", id="a list"),
    pytest.param('{"format": 1, "peers": {}}', id="another format"),
    pytest.param('{"format": 2, "peers": {"00": {}}}', id="a record without fields"),
    pytest.param('{"format": 2, "peers": {"zz": {}}}', id="no hexadecimal digits"),
    pytest.param('{"format": 2, "peers": [1]}', id="peers in a list"),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_put_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "peers.json"
    path.write_text(text)
    assert list(PeerBook(path, Clock()).candidates()) == []
    assert not path.exists()
    assert path.with_suffix(".damaged").read_text() == text


@pytest.mark.parametrize(
    ("field", "value"),
    [("enode", "http://x"), ("enr", "enr:-x"), ("bans", "1"), ("points", None), ("seen_s", 1.5)],
    ids=["no enode", "no record", "text", "null", "a fraction"],
)
def test_a_record_with_a_wrong_field_damages_the_file(
    tmp_path: Path, field: str, value: object
) -> None:
    path = tmp_path / "peers.json"
    book = PeerBook(path, Clock())
    book.note(enode(1))
    book.save()
    document = json.loads(path.read_text())
    document["peers"][NODE.hex()][field] = value
    path.write_text(json.dumps(document))
    assert list(PeerBook(path, Clock()).candidates()) == []


def test_a_disk_that_fails_stops_nothing(tmp_path: Path) -> None:
    book = PeerBook(tmp_path / "file" / "peers.json", Clock())
    (tmp_path / "file").write_text("not a folder")
    book.note(enode(1))
    book.save()
    assert list(book.candidates()) == [enode(1)]


def test_a_node_that_cannot_be_reached_is_left_alone_for_ever_longer() -> None:
    clock = Clock()
    book = PeerBook(None, clock)
    book.note(enode(1))
    pauses = []
    for _ in range(10):
        book.failed(NODE)
        pause = 0
        while not list(book.candidates()):
            clock.now_s += 10
            pause += 10
        pauses.append(pause)
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]


def test_nodes_that_were_reached_come_first() -> None:
    clock = Clock()
    book = PeerBook(None, clock)
    for number in (1, 2, 3):
        book.note(enode(number))
    book.opened(enode(2).node_id)
    book.failed(enode(1).node_id)
    clock.now_s += 60
    assert list(book.candidates()) == [enode(2), enode(3), enode(1)]


def test_a_guess_does_not_replace_what_is_known() -> None:
    book = PeerBook(None, Clock())
    book.note(enode(1), is_guess=True)
    assert list(book.candidates()) == [enode(1)]
    book.note(Enode(NODE, "192.0.2.1", 1), is_guess=True)
    assert list(book.candidates()) == [enode(1)]
    book.note(Enode(NODE, "192.0.2.1", 1))
    assert list(book.candidates()) == [Enode(NODE, "192.0.2.1", 1)]


def test_a_full_book_keeps_bans_and_drops_who_was_never_reached() -> None:
    book = PeerBook(None, Clock(), max_records=3)
    book.penalise(enode(1).node_id, 100)
    for number in (2, 3):
        book.note(enode(number))
    book.failed(enode(2).node_id)
    book.note(enode(4))
    assert len(book) == 3
    assert book.is_banned(enode(1).node_id)
    assert list(book.candidates()) == [enode(3), enode(4)]
