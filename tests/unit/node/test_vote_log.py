"""What a validator signed is on disk before it is sent, and no second answer ever is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from consensus.qbft.events import OwnMessage, PreparedCertificate, Record
from consensus.qbft.messages import Message
from cvm.faults import DatabaseFault, LocalFault
from node import vote_log
from node.storage.database_lock import DatabaseInUse
from node.vote_log import DoubleVote, OtherChainsVotes, VoteLog
from tests.integration.node_process import environment
from tests.qbft_world import (
    HEIGHT,
    PARENT_CERTIFICATE,
    commit_by,
    hash_of,
    prepare_by,
    proposal_by,
    round_change_by,
    tiny_block,
)

GENESIS_HASH = b"\x9e" * 32
FIRST, SECOND = (tiny_block(b"\xa0" * 20, salt) for salt in (1, 2))
OPENS = """
import sys
from pathlib import Path
from node.vote_log import VoteLog
try:
    VoteLog(Path(sys.argv[1]), bytes(32))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def votes(tmp_path: Path) -> Iterator[VoteLog]:
    votes = VoteLog(tmp_path / "votes", GENESIS_HASH)
    yield votes
    votes.close()


def own(message: Message) -> OwnMessage:
    return OwnMessage(message, PARENT_CERTIFICATE)


def prepared(block: bytes) -> PreparedCertificate:
    prepares = tuple(prepare_by(index, hash_of(block)) for index in range(3))
    return PreparedCertificate(HEIGHT, 0, hash_of(block), block, prepares, PARENT_CERTIFICATE)


def test_records_come_back_whole_and_in_order(votes: VoteLog) -> None:
    first: list[Record] = [own(proposal_by(0, FIRST)), own(prepare_by(0, hash_of(FIRST)))]
    second: list[Record] = [prepared(FIRST), own(commit_by(0, hash_of(FIRST)))]
    votes.save(HEIGHT, first)
    votes.save(HEIGHT, second)
    assert votes.records(HEIGHT) == (*first, *second)
    assert votes.records(HEIGHT + 1) == ()


def test_records_are_there_after_opening_again(tmp_path: Path) -> None:
    votes = VoteLog(tmp_path, GENESIS_HASH)
    votes.save(HEIGHT, [own(prepare_by(0, hash_of(FIRST)))])
    votes.close()
    again = VoteLog(tmp_path, GENESIS_HASH)
    assert again.records(HEIGHT) == (own(prepare_by(0, hash_of(FIRST))),)
    again.close()


DIGEST, OTHER = hash_of(FIRST), hash_of(SECOND)


@pytest.mark.parametrize(
    ("signed", "second"),
    [
        pytest.param(proposal_by(0, FIRST), proposal_by(0, SECOND), id="proposal"),
        pytest.param(prepare_by(0, DIGEST), prepare_by(0, OTHER), id="prepare"),
        pytest.param(commit_by(0, DIGEST), commit_by(0, OTHER), id="commit"),
        pytest.param(
            round_change_by(0, 1),
            round_change_by(0, 1, FIRST, [prepare_by(index, DIGEST) for index in range(3)]),
            id="round change",
        ),
    ],
)
def test_a_second_answer_is_refused_and_nothing_of_the_save_is_written(
    votes: VoteLog, signed: Message, second: Message
) -> None:
    votes.save(HEIGHT, [own(signed)])
    fresh = own(prepare_by(0, OTHER, round_number=7))
    with pytest.raises(DoubleVote, match=f"0x{second.payload.CODE:02x} in round"):
        votes.save(HEIGHT, [fresh, own(second)])
    assert votes.records(HEIGHT) == (own(signed),)


def test_a_refused_vote_is_refused_after_opening_again(tmp_path: Path) -> None:
    votes = VoteLog(tmp_path, GENESIS_HASH)
    votes.save(HEIGHT, [own(commit_by(0, DIGEST))])
    votes.close()
    again = VoteLog(tmp_path, GENESIS_HASH)
    with pytest.raises(DoubleVote):
        again.save(HEIGHT, [own(commit_by(0, OTHER))])
    again.close()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(prepare_by(0, OTHER, round_number=1), id="another round"),
        pytest.param(prepare_by(0, OTHER, height=HEIGHT + 1), id="another height"),
        pytest.param(commit_by(0, OTHER), id="another code"),
        pytest.param(prepare_by(0, DIGEST), id="the same once more"),
    ],
)
def test_what_is_no_second_answer_is_taken(votes: VoteLog, other: Message) -> None:
    votes.save(HEIGHT, [own(prepare_by(0, DIGEST))])
    votes.save(other.payload.height, [own(other)])
    assert own(other) in votes.records(other.payload.height)


def test_a_double_vote_stops_this_node_and_judges_nobody() -> None:
    assert issubclass(DoubleVote, LocalFault)


def test_only_the_height_under_way_and_the_one_before_are_kept(votes: VoteLog) -> None:
    for height in range(HEIGHT, HEIGHT + 4):
        votes.save(height, [own(prepare_by(0, DIGEST, height=height))])
    kept = [height for height in range(HEIGHT, HEIGHT + 4) if votes.records(height)]
    assert kept == [HEIGHT + 2, HEIGHT + 3]
    with pytest.raises(DoubleVote):
        votes.save(HEIGHT + 2, [own(prepare_by(0, OTHER, height=HEIGHT + 2))])


def test_every_save_is_synced(votes: VoteLog) -> None:
    flags = votes._env.flags()
    assert (flags["sync"], flags["metasync"], flags["writemap"]) == (True, True, False)


def test_a_full_disk_is_this_nodes_fault_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vote_log, "MAP_SIZE_BYTES", 1 << 16)
    votes = VoteLog(tmp_path, GENESIS_HASH)
    votes.save(HEIGHT, [own(prepare_by(0, DIGEST))])
    big = tiny_block(b"\xa0" * 20 + bytes(1 << 17))
    with pytest.raises(DatabaseFault, match=r"cannot write the vote log: .*MDB_MAP_FULL"):
        votes.save(HEIGHT, [own(proposal_by(0, big))])
    assert votes.records(HEIGHT) == (own(prepare_by(0, DIGEST)),)
    votes.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"\x5a" * 8192)
    with pytest.raises(DatabaseFault, match=f"cannot open the vote log in {tmp_path}"):
        VoteLog(tmp_path, GENESIS_HASH)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xc0", id="no items"),
        pytest.param(b"\xff" * 40, id="noise"),
        pytest.param(b"\xc3\x05\x80\x80", id="no such code"),
    ],
)
def test_a_damaged_record_stops_this_node(tmp_path: Path, value: bytes) -> None:
    votes = VoteLog(tmp_path, GENESIS_HASH)
    votes.save(HEIGHT, [own(prepare_by(0, DIGEST))])
    key = HEIGHT.to_bytes(8, "big") + (1).to_bytes(4, "big")
    with votes._env.begin(write=True) as transaction:
        transaction.put(key, value, db=votes._records)
    with pytest.raises(DatabaseFault, match=f"the vote log is damaged at height {HEIGHT}"):
        votes.records(HEIGHT)
    votes.close()


def test_the_log_of_another_chain_is_refused_and_kept(tmp_path: Path) -> None:
    votes = VoteLog(tmp_path, GENESIS_HASH)
    votes.save(HEIGHT, [own(prepare_by(0, DIGEST))])
    votes.close()
    with pytest.raises(OtherChainsVotes, match="another genesis block"):
        VoteLog(tmp_path, b"\x77" * 32)
    again = VoteLog(tmp_path, GENESIS_HASH)
    assert again.records(HEIGHT) == (own(prepare_by(0, DIGEST)),)
    again.close()


def test_two_logs_in_one_process_are_refused_too(votes: VoteLog, tmp_path: Path) -> None:
    with pytest.raises(DatabaseInUse):
        VoteLog(tmp_path / "votes", GENESIS_HASH)


def test_a_second_process_is_refused_with_what_to_do(votes: VoteLog, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-c", OPENS, str(tmp_path / "votes")],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert second.stdout == (
        f"DatabaseInUse the data directory {tmp_path} is in use by another process: "
        "stop it, or use another --datadir\n"
    )


def test_a_fault_while_opening_releases_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object, **_named: object) -> None:
        raise lmdb.DiskError("no space")

    with monkeypatch.context() as patched:
        patched.setattr(lmdb, "open", fails)
        with pytest.raises(DatabaseFault, match="no space"):
            VoteLog(tmp_path, GENESIS_HASH)
    VoteLog(tmp_path, GENESIS_HASH).close()
