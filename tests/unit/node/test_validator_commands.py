"""`cvm validator` against the real contract behind a fake node."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import PreparePayload
from consensus.qbft.signing import KeySigner
from consensus.system_contracts import HISTORY_STORAGE_CONTRACT_CODE
from cvm.evm.system_calls import HISTORY_STORAGE_ADDRESS
from models_registry.registry import read_genesis_hash, read_listing, read_validators
from node.cli.validator import add_commands
from tests.unit.models_registry.fake_node import FakeNode, serving
from tests.unit.models_registry.model_cli import use_fake_clock
from tests.unit.models_registry.registry_chain import VALIDATOR_KEYS, address_of, marked_test_key
from tests.unit.models_registry.validator_chain import GENESIS_HASH, signed

pytestmark = pytest.mark.network
NEW_KEY = marked_test_key(77)
NEW, FIRST = address_of(NEW_KEY), address_of(VALIDATOR_KEYS[0])
BOND = 32_000 * 10**18
VARIABLE = "TEST_VALIDATOR_KEY"
REWARD = BOND // 2


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """Return a node of four validators that is ready; NEW has wei for two bonds."""
    use_fake_clock(monkeypatch)
    monkeypatch.setenv(VARIABLE, NEW_KEY.to_hex())
    node = FakeNode(validators=4)
    node.chain.fund(NEW, 2 * BOND)
    history = {0: int.from_bytes(GENESIS_HASH, "big")}
    node.chain.place(bytes(HISTORY_STORAGE_ADDRESS), HISTORY_STORAGE_CONTRACT_CODE, history)
    node.canned["cvm_nodeStatus"] = {"status": "ready"}
    return node


@pytest.fixture
def url(node: FakeNode) -> Iterator[str]:
    with serving(node) as address:
        yield address


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    return CliRunner().invoke(app, ["validator", *arguments])


def told(command: str, url: str, *arguments: str, key: bool = True) -> dict[str, Any]:
    """Return what a command prints as JSON."""
    named = ("--key-env", VARIABLE) if key else ()
    result = run(command, *arguments, "--rpc", url, "--json", *named)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def evidence_against_first() -> str:
    signer = KeySigner(VALIDATOR_KEYS[0].to_bytes())
    first, second = PreparePayload(7, 0, b"\xaa" * 32), PreparePayload(7, 0, b"\xbb" * 32)
    proof = Evidence(
        PreparePayload.CODE,
        FIRST,
        7,
        0,
        first.encode(),
        signed(signer, first),
        second.encode(),
        signed(signer, second),
    )
    return "0x" + proof.encode().hex()


def test_join_pays_the_bond_and_tells_the_first_height(node: FakeNode, url: str) -> None:
    found = told("join", url, "--yes")
    assert (found["validator"], found["bondWei"]) == ("0x" + NEW.hex(), BOND)
    assert found["fromHeight"] == 100
    assert list(found["transactions"]) == ["join"]
    assert read_validators(node.chain.storage, 100)[4] == NEW


def test_join_is_refused_where_the_node_lacks_a_model(node: FakeNode, url: str) -> None:
    node.canned["cvm_nodeStatus"] = {"status": "not ready (model 0xab missing)"}
    result = run("join", "--rpc", url, "--key-env", VARIABLE, "--yes")
    assert result.exit_code == 1
    assert "not ready (model 0xab missing)" in result.stderr
    assert "eth_sendRawTransaction" not in node.calls


def test_who_has_joined_is_told_from_when_it_votes_though_it_has_no_second_bond(url: str) -> None:
    told("join", url, "--yes")
    result = run("join", "--rpc", url, "--key-env", VARIABLE, "--yes")
    assert result.exit_code == 1
    assert f"0x{NEW.hex()} has joined already: it votes from block 100 on" in result.stderr


def test_who_leaves_is_told_when_it_may_join_again(url: str) -> None:
    told("join", url, "--yes")
    told("leave", url, "--yes")
    result = run("join", "--rpc", url, "--key-env", VARIABLE, "--yes")
    assert result.exit_code == 1
    assert "leaves with block 200, and may join again once its bond is taken back" in result.stderr


def test_a_bond_is_not_sent_without_a_yes(node: FakeNode, url: str) -> None:
    result = run("join", "--rpc", url, "--key-env", VARIABLE)
    assert result.exit_code == 2
    assert "Join with 32,000 ether?" in result.stderr
    assert "eth_sendRawTransaction" not in node.calls


def test_leave_and_withdraw_go_the_whole_way(node: FakeNode, url: str) -> None:
    told("join", url, "--yes")
    left = told("leave", url, "--yes")
    assert (left["untilHeight"], left["withdrawFrom"]) == (200, 200 + 907_200)
    early = run("withdraw", "--rpc", url, "--key-env", VARIABLE)
    assert early.exit_code == 1
    assert "StillBonded" in early.stderr
    node.chain.height = 907_400
    paid = told("withdraw", url, "--to", "0x" + "0e" * 20)
    assert (paid["paidWei"], node.chain.balance(b"\x0e" * 20)) == (BOND, BOND)
    assert told("status", url, "0x" + NEW.hex(), key=False)["standing"] == "not listed"


def test_status_shows_the_set_or_one_account(url: str) -> None:
    found = told("status", url, key=False)
    assert found["validators"] == ["0x" + address_of(key).hex() for key in VALIDATOR_KEYS]
    assert (found["bondWei"], found["epochBlocks"]) == (BOND, 100)
    assert found["genesisHash"] == "not recorded"
    one = told("status", url, "0x" + FIRST.hex(), key=False)
    assert (one["bondWei"], one["jailed"], one["fromHeight"]) == (BOND, False, 0)
    people = run("status", "--rpc", url)
    assert "bond             32,000 ether" in people.stdout


def test_report_sends_what_the_node_knows_once(node: FakeNode, url: str) -> None:
    known = {"validator": "0x" + FIRST.hex(), "data": evidence_against_first()}
    node.canned["cvm_listEvidence"] = [known, known]
    found = told("report", url)
    assert (found["reported"], found["gainedWei"]) == (1, REWARD)
    assert read_listing(node.chain.storage, FIRST).is_jailed
    again = run("report", "--rpc", url, "--key-env", VARIABLE)
    assert again.exit_code == 1
    assert "knows of no double vote" in again.stderr
    jailed = told("status", url, "0x" + FIRST.hex(), key=False)
    assert (jailed["jailed"], jailed["bondWei"], jailed["untilHeight"]) == (True, 0, 100)


def test_report_takes_a_proof_in_hex(node: FakeNode, url: str) -> None:
    assert told("report", url, "--evidence", evidence_against_first())["gainedWei"] == REWARD
    assert node.chain.balance(NEW) == 2 * BOND + REWARD


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("0xzz", "not hex", id="no hex"),
        pytest.param("0xc0", "the evidence is none", id="an empty list"),
        pytest.param("0xc782ffff80808080", "code 0xffff", id="a code of two bytes"),
    ],
)
def test_what_is_no_evidence_is_refused(url: str, text: str, reason: str) -> None:
    result = run("report", "--rpc", url, "--key-env", VARIABLE, "--evidence", text)
    assert result.exit_code == 2
    assert reason in result.stderr


def test_anyone_records_the_genesis_hash(node: FakeNode, url: str) -> None:
    assert told("record-genesis", url)["genesisHash"] == "0x" + GENESIS_HASH.hex()
    assert read_genesis_hash(node.chain.storage) == GENESIS_HASH
