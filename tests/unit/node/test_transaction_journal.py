"""The journal on disk: whole after a kill, honest about damage, replaced at once."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.faults import DatabaseFault
from node.storage.transaction_journal import (
    MAX_RECORD_BYTES,
    TransactionJournal,
    encode_record,
    record_at,
)

ROOT = Path(__file__).parents[3]
RECORDS = (b"\x01first", b"\x02" * 300, b"\x03third")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transactions.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[TransactionJournal]:
    journal = TransactionJournal(path)
    yield journal
    journal.close()


def loaded(path: Path) -> tuple[bytes, ...]:
    """Return what another process reads."""
    journal = TransactionJournal(path)
    try:
        return journal.load()
    finally:
        journal.close()


def test_a_new_journal_is_empty(journal: TransactionJournal) -> None:
    assert journal.load() == ()
    assert journal.size_bytes == 0


def test_what_was_appended_is_read_back_in_order(journal: TransactionJournal, path: Path) -> None:
    for record in RECORDS:
        journal.append(record)
    assert loaded(path) == RECORDS
    assert journal.size_bytes == path.stat().st_size


def test_a_record_is_length_checksum_and_bytes() -> None:
    assert encode_record(b"123456789") == bytes.fromhex("00000009cbf43926") + b"123456789"


def test_what_comes_after_a_restart_is_appended(journal: TransactionJournal, path: Path) -> None:
    journal.append(RECORDS[0])
    again = TransactionJournal(path)
    again.append(RECORDS[1])
    again.close()
    assert journal.load() == RECORDS[:2]


@pytest.mark.parametrize("cut", range(1, len(encode_record(RECORDS[2])) + 1))
def test_a_torn_last_record_is_left_out(path: Path, cut: int) -> None:
    whole = b"".join(map(encode_record, RECORDS))
    path.write_bytes(whole[:-cut])
    assert loaded(path) == RECORDS[:2]


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(bytes(4096), id="zeros"),
        pytest.param(b"\xff" * 64, id="a length without end"),
        pytest.param((MAX_RECORD_BYTES + 1).to_bytes(4, "big") + bytes(2_000_000), id="too long"),
        pytest.param(encode_record(b"abc")[:-1] + b"d", id="another byte"),
    ],
)
def test_damage_ends_what_is_read(path: Path, tail: bytes) -> None:
    path.write_bytes(b"".join(map(encode_record, RECORDS)) + tail)
    assert loaded(path) == RECORDS


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.integers(0, 300), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_one_damaged_byte_loses_no_record_before_it(
    records: list[bytes], place: int, data: st.DataObject
) -> None:
    whole = bytearray(b"".join(map(encode_record, records)))
    if place >= len(whole):
        return
    whole[place] ^= data.draw(st.integers(1, 255))
    found, at = [], 0
    while (record := record_at(bytes(whole), at)) is not None:
        found.append(record)
        at += 8 + len(record)
    ends = [sum(8 + len(each) for each in records[: n + 1]) for n in range(len(records))]
    assert found == [record for record, end in zip(records, ends, strict=True) if end <= place]


def test_a_rewritten_journal_holds_the_new_records_alone(
    journal: TransactionJournal, path: Path
) -> None:
    journal.append(RECORDS[0])
    journal.rewrite(RECORDS[1:])
    assert loaded(path) == RECORDS[1:]
    journal.append(RECORDS[0])
    assert loaded(path) == (*RECORDS[1:], RECORDS[0])
    assert journal.size_bytes == path.stat().st_size
    assert list(path.parent.iterdir()) == [path]


def failing(code: int, after_bytes: int) -> Callable[[int, bytes], int]:
    """Return a write that takes some bytes, and then the disk fails."""
    real, left = os.write, [after_bytes]

    def write(descriptor: int, data: bytes) -> int:
        taken = min(left[0], len(data))
        if not taken:
            raise OSError(code, os.strerror(code))
        left[0] -= taken
        return real(descriptor, bytes(data)[:taken])

    return write


def test_a_record_that_the_disk_takes_half_is_taken_back(
    journal: TransactionJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(RECORDS[0])
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing(errno.ENOSPC, 12))
        with pytest.raises(
            DatabaseFault, match=r"cannot write the transaction journal .* No space"
        ):
            journal.append(RECORDS[1])
    journal.append(RECORDS[2])
    assert loaded(path) == (RECORDS[0], RECORDS[2])


def test_a_write_in_pieces_is_whole(
    journal: TransactionJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data)[:7]))
    journal.append(RECORDS[1])
    assert loaded(path) == (RECORDS[1],)


WRITER = """
import sys
from pathlib import Path
from node.storage.transaction_journal import TransactionJournal
journal = TransactionJournal(Path(sys.argv[1]))
for number in range(1_000_000):
    journal.append(b"%d" % number * 50)
    print(number, flush=True)
"""


def test_a_killed_process_has_written_all_that_it_said(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(200)]
        writer.kill()
    found = loaded(path)
    assert found[: len(said)] == tuple(b"%d" % number * 50 for number in said)


def test_a_folder_that_is_not_there_is_a_fault_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFault, match="cannot open the transaction journal"):
        TransactionJournal(tmp_path / "nowhere" / "transactions.journal")


def test_a_rewrite_that_fails_leaves_the_old_journal(
    journal: TransactionJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(RECORDS[0])

    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(DatabaseFault, match="Input/output error"):
            journal.rewrite(RECORDS[1:])
    assert loaded(path) == RECORDS[:1]
