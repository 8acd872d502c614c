"""A sample of the long run: kills at chosen places, and planted bugs that must be found."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from consensus.qbft.messages import Message
from tests.crashes.vote_record import VoteRecord
from tests.integration.node_process import ROOT, environment
from tests.qbft_world import (
    commit_by,
    hash_of,
    prepare_by,
    proposal_by,
    round_change_by,
    tiny_block,
)

FIRST, SECOND = (tiny_block(b"\xa0" * 20, salt) for salt in (1, 2))
ONE, TWO = hash_of(FIRST), hash_of(SECOND)
PREPARES = [prepare_by(index, ONE) for index in range(3)]
QUORUM = 3


def crashes(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own: it forks, which a test's process must not."""
    return subprocess.run(
        [sys.executable, "-m", "tests.crashes", "--part", "votes", "--part", "storage", *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        timeout=300,
        check=False,
    )


def test_killed_nodes_vote_once_and_lose_nothing(tmp_path: Path) -> None:
    done = crashes("--kills", "20", "--results", str(tmp_path))
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed", done.stderr
    (path,) = tmp_path.glob("faults-*.json")
    results: dict[str, Any] = json.loads(path.read_text())
    assert results["votes"]["offers_against_an_own_vote"] > 0
    assert results["votes"]["messages"].keys() >= {"0x13", "0x14", "0x15"}
    assert results["storage"]["final_blocks"] > 20
    assert all(sum(part["killed_at"].values()) == 20 for part in results.values())


def test_planted_bugs_are_found(tmp_path: Path) -> None:
    done = crashes("--kills", "12", "--planted", "--results", str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 2 failed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "violations"),
    [
        pytest.param([prepare_by(0, ONE), prepare_by(0, ONE)], [], id="the same twice"),
        pytest.param(
            [prepare_by(0, ONE), commit_by(0, ONE), round_change_by(0, 1, FIRST, PREPARES)],
            [],
            id="a commit that binds",
        ),
        pytest.param(
            [proposal_by(0, FIRST), proposal_by(0, SECOND)],
            ["a double vote: proposal"],
            id="two proposals",
        ),
        pytest.param(
            [round_change_by(0, 1), round_change_by(0, 1, FIRST, PREPARES)],
            ["a double vote: round change"],
            id="two round changes",
        ),
        pytest.param(
            [prepare_by(0, ONE), commit_by(0, TWO)],
            ["a prepare and a commit of different blocks: commit"],
            id="a commit against the prepare",
        ),
        pytest.param(
            [commit_by(0, ONE), commit_by(0, TWO)],
            [
                "a double vote: commit",
                "a prepare and a commit of different blocks: commit",
                "two commit seals of one round: commit",
            ],
            id="two seals",
        ),
        pytest.param(
            [commit_by(0, ONE), round_change_by(0, 1)],
            ["a round change that forgets a commit: round change"],
            id="a forgotten commit",
        ),
        pytest.param(
            [commit_by(0, TWO), round_change_by(0, 1, FIRST, PREPARES)],
            ["a round change that claims another block than was committed to: round change"],
            id="another claim",
        ),
        pytest.param(
            [commit_by(0, ONE), round_change_by(0, 1, FIRST, PREPARES[:2])],
            ["a round change without the proof of its claim: round change"],
            id="a claim without proof",
        ),
        pytest.param(
            [round_change_by(0, 2), prepare_by(0, ONE, round_number=1)],
            ["a vote in a round that it had left: prepare"],
            id="a vote behind",
        ),
    ],
)
def test_the_record_of_votes_reports(sent: Iterable[Message], violations: list[str]) -> None:
    record = VoteRecord(QUORUM)
    for message in sent:
        record.sent(message)
    assert [each.split(" of height")[0] for each in record.violations] == violations
