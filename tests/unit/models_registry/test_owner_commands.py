"""`cvm model transfer|royalty|retire|withdraw|expire|status|pull` against the real contract."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from models_registry.chunks import CHUNK_BYTES
from models_registry.cli import terminal
from models_registry.registry import RegistryStatus, read_owner, read_refund
from tests.unit.models_registry.fake_node import FakeNode
from tests.unit.models_registry.model_cli import (
    CHUNKS,
    DATA,
    KEY_VARIABLE,
    MODEL,
    OWNER_KEY,
    PROOFS,
    register,
    result_of,
    run,
    status,
    transactions,
)
from tests.unit.models_registry.registry_chain import (
    DEADLINE,
    RETIREMENT_DELAY,
    STRANGER,
    address_of,
)

pytestmark = pytest.mark.network
KEY = ("--key-env", KEY_VARIABLE)
NAME = "0x" + MODEL.hex()
OWNER = address_of(OWNER_KEY)
DEPOSIT = len(DATA) * 10 * 10**9
STRANGERS_KEY = b"\2" * 32


@pytest.fixture
def active(node: FakeNode, url: str, model_file: Path) -> str:
    """Return the address of a node at which the model is ACTIVE."""
    assert result_of(register(model_file, url))["status"] == "active"
    node.calls.clear()
    return url


def told(*arguments: object) -> dict[str, Any]:
    return result_of(run(*arguments, *KEY, "--json"))


def test_a_transfer_gives_the_token_away(node: FakeNode, active: str) -> None:
    found = told("transfer", NAME, "0x" + STRANGER.hex(), "--rpc", active, "--yes")
    assert found["owner"] == "0x" + STRANGER.hex()
    assert list(found["transactions"]) == ["transfer"]
    assert read_owner(node.chain.storage, MODEL) == STRANGER


def test_a_model_can_be_named_by_its_file(node: FakeNode, active: str, model_file: Path) -> None:
    told("transfer", model_file, "0x" + STRANGER.hex(), "--rpc", active, "--yes")
    assert read_owner(node.chain.storage, MODEL) == STRANGER


@pytest.mark.parametrize(
    "receiver",
    [
        pytest.param("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", id="with EIP-55's checksum"),
        pytest.param("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", id="lower case"),
        pytest.param("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", id="upper case"),
    ],
)
def test_an_address_may_be_written_in_three_ways(
    node: FakeNode, active: str, receiver: str
) -> None:
    told("transfer", NAME, receiver, "--rpc", active, "--yes")
    assert read_owner(node.chain.storage, MODEL) == bytes.fromhex(receiver[2:])


@pytest.mark.parametrize(
    ("answer", "is_sent"),
    [pytest.param("y\n", True, id="yes"), pytest.param("n\n", False, id="no")],
)
@pytest.mark.parametrize(
    "command",
    [pytest.param(("transfer", NAME, "0x" + "0b" * 20), id="transfer"),
     pytest.param(("retire", NAME), id="retire")],
)  # fmt: skip
def test_what_cannot_be_undone_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    node: FakeNode,
    active: str,
    command: tuple[str, ...],
    answer: str,
    is_sent: bool,
) -> None:
    monkeypatch.setattr(terminal, "is_interactive", lambda: True)
    result = run(*command, "--rpc", active, *KEY, stdin=answer)
    assert result.exit_code == (0 if is_sent else 2), result.stderr
    assert "gas (0." in result.stderr
    assert "[y/N]" in result.stderr
    assert transactions(node) == int(is_sent)


@pytest.mark.parametrize("command", ["transfer", "retire"])
def test_what_cannot_be_undone_needs_yes_where_nobody_can_be_asked(
    node: FakeNode, active: str, command: str
) -> None:
    to = ("0x" + STRANGER.hex(),) if command == "transfer" else ()
    result = run(command, NAME, *to, "--rpc", active, *KEY, "--json")
    assert result.exit_code == 2
    assert "--yes does it without asking" in result.stderr
    assert transactions(node) == 0


def test_a_royalty_is_set_and_shown_with_its_height(node: FakeNode, active: str) -> None:
    found = told("royalty", NAME, "40", "--rpc", active)
    assert (found["royaltyGas"], found["nextRoyaltyGas"]) == (0, 40)
    height = found["royaltyHeight"]
    node.chain.height = height
    shown = result_of(run("royalty", NAME, "--rpc", active, "--json"))
    assert shown["royaltyGas"] == 40
    assert "royaltyHeight" not in shown
    assert "transactions" not in shown


def test_a_resale_royalty_is_set(node: FakeNode, active: str) -> None:
    found = told(
        "royalty", NAME, "--resale", "250", "--resale-to", "0x" + STRANGER.hex(), "--rpc", active
    )
    assert list(found["transactions"]) == ["setResaleRoyalty"]
    assert (found["resaleBasisPoints"], found["resaleTo"]) == (250, "0x" + STRANGER.hex())


def test_a_model_without_a_resale_royalty_shows_none(node: FakeNode, active: str) -> None:
    assert "resaleBasisPoints" not in result_of(run("royalty", NAME, "--rpc", active, "--json"))


def test_a_royalty_over_a_quarter_of_the_compute_gas_is_not_sent(
    node: FakeNode, active: str
) -> None:
    result = run("royalty", NAME, str(10**9), "--rpc", active, *KEY)
    assert result.exit_code == 1
    assert (
        "setRoyalty was not sent, it would fail: RoyaltyTooHigh(given=1000000000" in result.stderr
    )
    assert transactions(node) == 0


def test_setting_a_royalty_needs_a_key(node: FakeNode, active: str) -> None:
    result = run("royalty", NAME, "5", "--rpc", active)
    assert result.exit_code == 2
    assert "name exactly one key" in result.stderr


def test_a_retired_model_gives_its_deposit_back(node: FakeNode, active: str) -> None:
    found = told("retire", NAME, "--rpc", active, "--yes")
    assert found["refundWei"] == DEPOSIT
    assert found["retirementHeight"] > node.chain.height
    before = node.chain.balance(STRANGER)
    paid = told("withdraw", "--to", "0x" + STRANGER.hex(), "--rpc", active)
    assert (paid["paidWei"], paid["to"]) == (DEPOSIT, "0x" + STRANGER.hex())
    assert node.chain.balance(STRANGER) - before == DEPOSIT
    assert read_refund(node.chain.storage, OWNER) == 0
    node.chain.height = found["retirementHeight"]
    assert status(node) is RegistryStatus.RETIRED


def test_a_person_reads_in_how_many_blocks_a_model_ends(node: FakeNode, active: str) -> None:
    result = run("retire", NAME, "--rpc", active, *KEY)
    assert f"From {RETIREMENT_DELAY} blocks later on nobody can call" in result.stderr


def test_a_person_reads_wei_as_ether(node: FakeNode, active: str) -> None:
    result = run("retire", NAME, "--rpc", active, *KEY, "--yes")
    assert "refund           0.00627301 ether\n" in result.stdout


def test_nothing_to_withdraw_is_said(node: FakeNode, active: str) -> None:
    result = run("withdraw", "--rpc", active, *KEY)
    assert result.exit_code == 1
    assert f"account 0x{OWNER.hex()} has no refunds" in result.stderr


def test_an_overdue_model_expires_and_not_before(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.signers = ()
    assert register(model_file, url, "--timeout", "3").exit_code == 1
    early = run("expire", NAME, "--rpc", url, *KEY)
    assert early.exit_code == 1
    assert "to be activated, and can expire from the next one on" in early.stderr
    node.chain.height += DEADLINE
    assert told("expire", NAME, "--rpc", url)["refundWei"] == DEPOSIT
    assert status(node) is RegistryStatus.EXPIRED


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        pytest.param("transfer {} 0x12", 2, "'0x12' is not an address", id="address"),
        pytest.param(
            "transfer {} 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD --yes", 2, "is mistyped",
            id="the case of one letter (after EIP-55's first example)",
        ),
        pytest.param("retire 0x12", 2, "'0x12' is not a model id", id="model id"),
        pytest.param("retire {zero}", 2, "no model 0x0000", id="not registered"),
        pytest.param("expire {}", 1, "it would fail: AlreadyActivated", id="active"),
        pytest.param("royalty {zero}", 2, "no model 0x0000", id="royalty of nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(
    node: FakeNode, active: str, command: str, code: int, words: str
) -> None:
    arguments = command.replace("{}", NAME).replace("{zero}", "0x" + "00" * 32).split()
    result = run(*arguments, "--rpc", active, *KEY)
    assert result.exit_code == code
    assert words in result.stderr
    assert transactions(node) == 0


@pytest.mark.parametrize("command", [("transfer", NAME, "0x" + "0b" * 20), ("retire", NAME)])
def test_only_the_owner_may(node: FakeNode, active: str, command: tuple[str, ...]) -> None:
    result = run(*command, "--rpc", active, "--account", "dev", "--yes", dev_key=STRANGERS_KEY)
    assert result.exit_code == 1
    assert f"belongs to 0x{OWNER.hex()}, the key is that of 0x" in result.stderr


def stage_lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [line for line in result.stdout.splitlines() if not line.startswith("model id")]


def test_the_status_of_a_model_that_is_not_registered(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.chunks[MODEL] = {1: CHUNKS[1]}
    lines = stage_lines(run("status", model_file, "--rpc", url))
    assert lines[1:] == [
        "bytes       open  1 of 3 chunks at the node; missing: 0, 2",
        "registered  open  not registered",
        "next        bring the bytes here and register it: `cvm model register FILE`",
    ]


def test_the_status_of_a_model_that_waits_for_signatures(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.signers = ()
    register(model_file, url, "--timeout", "3")
    found = result_of(run("status", NAME, "--rpc", url, "--json"))
    assert [stage["done"] for stage in found["stages"]] == [True, True, False, False]
    assert (found["attestations"], found["attestationsNeeded"], found["validators"]) == (0, 1, 1)
    assert found["next"] == "1 more of the validators attest it, before"
    blocks = found["nextHeight"] - found["height"]
    assert DEADLINE - 20 < blocks <= DEADLINE
    assert found["nextInSeconds"] == 2 * blocks


def test_the_status_of_an_active_and_of_a_retiring_model(node: FakeNode, active: str) -> None:
    lines = stage_lines(run("status", NAME, "--rpc", active))
    assert [line.split()[1] for line in lines[1:-1]] == ["done", "done", "done", "done"]
    assert lines[-1] == f"next        contracts and `cvm model infer {NAME}` can call it"
    height = told("retire", NAME, "--rpc", active, "--yes")["retirementHeight"]
    last = stage_lines(run("status", NAME, "--rpc", active))[-1]
    assert last.startswith(f"next        nobody can call it any more: block {height}, in ")
    assert last.endswith(" s)")


def test_a_model_is_pulled(node: FakeNode, active: str, tmp_path: Path) -> None:
    target = tmp_path / "pulled.onnx"
    found = result_of(run("pull", NAME, "-o", target, "--rpc", active, "--json"))
    assert target.read_bytes() == DATA
    assert (found["sizeBytes"], found["chunks"], found["fetched"]) == (len(DATA), 3, 3)
    again = result_of(run("pull", NAME, "-o", target, "--rpc", active, "--json"))
    assert again["fetched"] == 0
    assert [path.name for path in tmp_path.iterdir() if "pulled" in path.name] == ["pulled.onnx"]


def test_a_pull_goes_on_where_it_stopped(node: FakeNode, active: str, tmp_path: Path) -> None:
    target = tmp_path / "pulled.onnx"
    node.breaks_after = {"cvm_getChunk": 2}
    assert run("pull", NAME, "-o", target, "--rpc", active).exit_code == 1
    assert not target.exists()
    (part,) = [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert part.read_bytes() == DATA[: 2 * CHUNK_BYTES]
    node.breaks_after = {}
    found = result_of(run("pull", NAME, "-o", target, "--rpc", active, "--json"))
    assert (found["fetched"], target.read_bytes()) == (1, DATA)
    assert not part.exists()


def test_a_part_that_was_changed_is_dropped(node: FakeNode, active: str, tmp_path: Path) -> None:
    target = tmp_path / "pulled.onnx"
    part = tmp_path / f"pulled.onnx.{MODEL.hex()[:8]}.part"
    part.write_bytes(bytes(CHUNK_BYTES))
    result = run("pull", NAME, "-o", target, "--rpc", active)
    assert result.exit_code == 2
    assert "was changed by somebody else" in result.stderr
    assert not part.exists()
    assert run("pull", NAME, "-o", target, "--rpc", active).exit_code == 0


def false_chunk(**changes: object) -> dict[str, object]:
    proof = ["0x" + sibling.hex() for sibling in PROOFS[0]]
    true = {"size": hex(len(DATA)), "index": "0x0", "chunk": "0x" + CHUNKS[0].hex(), "proof": proof}
    return {**true, **changes}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(false_chunk(chunk="0x" + (b"\1" + CHUNKS[0][1:]).hex()), id="a false byte"),
        pytest.param(false_chunk(size=hex(len(DATA) + 1)), id="a false size"),
        pytest.param(false_chunk(size=hex(2**40)), id="a giant"),
        pytest.param(false_chunk(proof=[]), id="no proof"),
        pytest.param(false_chunk(chunk="0x"), id="nothing"),
    ],
)
def test_bytes_that_are_not_of_the_model_are_not_written(
    node: FakeNode, active: str, tmp_path: Path, answer: dict[str, object]
) -> None:
    node.canned = {"cvm_getChunk": answer}
    result = run("pull", NAME, "-o", tmp_path / "pulled.onnx", "--rpc", active)
    assert result.exit_code == 1
    assert "gave bytes that are not of the model" in result.stderr
    assert not [path for path in tmp_path.iterdir() if "pulled" in path.name]


def test_a_file_that_holds_something_else_stays(
    node: FakeNode, active: str, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    result = run("pull", NAME, "-o", tmp_path / "mine", "--rpc", active)
    assert result.exit_code == 2
    assert "holds something else" in result.stderr
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_node_without_the_model_says_so(node: FakeNode, url: str, tmp_path: Path) -> None:
    result = run("pull", NAME, "-o", tmp_path / "pulled.onnx", "--rpc", url)
    assert result.exit_code == 1
    assert f"{url} does not hold model {NAME}" in result.stderr


def test_a_wrong_id_is_refused(node: FakeNode, url: str) -> None:
    result = run("pull", "0x1234", "--rpc", url)
    assert result.exit_code == 2
    assert "is not a model id" in json.dumps(result.stderr)
