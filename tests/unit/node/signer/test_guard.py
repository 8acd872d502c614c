"""What a signer keeps on disk: one thing in one place, and nothing far back."""

from pathlib import Path

import pytest

from consensus.certificate import SealDomain
from cvm.faults import DatabaseFault
from node.signer.guard import SignGuard, SigningRefused
from node.signer.requests import Place
from node.storage.database_lock import DatabaseInUse

CHAIN = SealDomain(5, b"\x01" * 32)
A, B = b"\xaa" * 32, b"\xbb" * 32


def place(height: int, round_number: int = 0, code: int = 0x13, said: bytes = A) -> Place:
    return Place(height, round_number, code, said)


def test_the_same_thing_may_be_signed_again_also_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        guard = SignGuard(tmp_path, CHAIN)
        guard.note(place(9))
        guard.note(place(9))
        guard.close()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(place(9, round_number=1, said=B), id="another round"),
        pytest.param(place(9, code=0x14, said=B), id="another code"),
        pytest.param(place(9, code=0, said=B), id="a seal"),
        pytest.param(place(10, said=B), id="the next height"),
        pytest.param(place(7, said=B), id="two heights back"),
    ],
)
def test_another_place_is_free(tmp_path: Path, other: Place) -> None:
    guard = SignGuard(tmp_path, CHAIN)
    guard.note(place(9))
    guard.note(other)
    guard.close()


def test_a_second_thing_in_one_place_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    guard = SignGuard(tmp_path, CHAIN)
    guard.note(place(9))
    for _ in range(2):
        with pytest.raises(SigningRefused, match="something else was signed in round 0 of height"):
            guard.note(place(9, said=B))
        guard.close()
        guard = SignGuard(tmp_path, CHAIN)
    guard.note(place(9))
    guard.close()


def test_what_lies_too_far_back_is_refused(tmp_path: Path) -> None:
    guard = SignGuard(tmp_path, CHAIN)
    guard.note(place(9))
    guard.note(place(12))
    with pytest.raises(SigningRefused, match="height 9 is far below 12"):
        guard.note(place(9))
    guard.note(place(10))
    guard.close()


def test_a_folder_has_one_owner_and_one_chain(tmp_path: Path) -> None:
    guard = SignGuard(tmp_path, CHAIN)
    with pytest.raises(DatabaseInUse):
        SignGuard(tmp_path, CHAIN)
    guard.close()
    with pytest.raises(DatabaseFault, match="is of another chain"):
        SignGuard(tmp_path, SealDomain(6, b"\x01" * 32))
    SignGuard(tmp_path, CHAIN).close()
