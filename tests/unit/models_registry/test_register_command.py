"""`cvm model register|list|show` against the real contract behind a fake node on loopback."""

import json
from pathlib import Path

import pytest

from models_registry.addresses import MODEL_REGISTRY
from models_registry.registry import RegistryStatus, read_entry
from models_registry.registry_calls import encode_expire
from tests.unit.models_registry.fake_node import FakeNode, serving
from tests.unit.models_registry.model_cli import (
    CHUNKS,
    DATA,
    KEY_VARIABLE,
    MODEL,
    OWNER_KEY,
    URI,
    register,
    result_of,
    run,
    status,
    transactions,
    use_fake_clock,
)
from tests.unit.models_registry.registry_chain import (
    DEADLINE,
    STRANGER,
    VALIDATOR_KEYS,
    address_of,
    marked_test_key,
)

pytestmark = pytest.mark.network


def test_the_example_has_three_chunks() -> None:
    assert len(CHUNKS) == 3


def test_a_model_goes_from_a_file_to_active(node: FakeNode, url: str, model_file: Path) -> None:
    result = register(model_file, url)
    answer = result_of(result)
    assert answer["modelId"] == "0x" + MODEL.hex()
    assert answer["status"] == "active"
    assert list(answer["transactions"]) == ["commit", "register", "activate"]
    assert answer["gas"]["total"] == 3000 + len(DATA) // 32 + 1568 + 12
    entry = read_entry(node.chain.storage, MODEL, node.chain.height)
    assert entry is not None
    assert (entry.owner, entry.size_bytes, entry.uri, entry.status) == (
        address_of(OWNER_KEY),
        len(DATA),
        URI,
        RegistryStatus.ACTIVE,
    )
    assert b"".join(node.chunks[MODEL][index] for index in range(3)) == DATA


def test_progress_goes_to_stderr_with_every_transaction(
    node: FakeNode, url: str, model_file: Path
) -> None:
    result = register(model_file, url)
    for name, tx_hash in result_of(result)["transactions"].items():
        assert f"{name} {tx_hash}" in result.stderr
    assert f"model id    0x{MODEL.hex()}" in result.stderr


def test_a_person_reads_id_price_and_status(node: FakeNode, url: str, model_file: Path) -> None:
    result = run("register", model_file, "--rpc", url, "--key-env", KEY_VARIABLE, "--yes")
    assert result.exit_code == 0, result.stderr
    assert f"model id    0x{MODEL.hex()}" in result.stdout
    assert "base 3,000" in result.stdout
    assert "status      active from block" in result.stdout


def test_an_active_model_needs_nothing_more(node: FakeNode, url: str, model_file: Path) -> None:
    result_of(register(model_file, url))
    sent, chunks = transactions(node), node.calls.count("cvm_putChunk")
    assert result_of(register(model_file, url))["transactions"] == {}
    assert (transactions(node), node.calls.count("cvm_putChunk")) == (sent, chunks)


def test_only_the_chunks_that_are_missing_are_sent(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.chunks[MODEL] = {0: CHUNKS[0], 2: CHUNKS[2]}
    result = register(model_file, url)
    assert result_of(result)["status"] == "active"
    assert node.calls.count("cvm_putChunk") == 1
    assert "the node has 2 of 3 chunks" in result.stderr


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        pytest.param("cvm_putChunk", 1, id="between two chunks"),
        pytest.param("eth_sendRawTransaction", 0, id="before commit"),
        pytest.param("eth_blockNumber", 0, id="after commit"),
        pytest.param("eth_sendRawTransaction", 1, id="before register"),
        pytest.param("eth_getTransactionReceipt", 1, id="after register"),
        pytest.param("eth_sendRawTransaction", 2, id="before activate"),
        pytest.param("eth_getTransactionReceipt", 2, id="after activate"),
    ],
)
def test_a_run_that_broke_off_goes_on_where_it_stopped(
    node: FakeNode, url: str, model_file: Path, method: str, calls: int
) -> None:
    node.breaks_after = {method: calls}
    broken = register(model_file, url)
    assert broken.exit_code == 1
    assert "no node answers at" in broken.stderr
    node.breaks_after = {}
    assert result_of(register(model_file, url))["status"] == "active"
    assert transactions(node) == 3
    assert node.calls.count("cvm_putChunk") == 3


def test_an_expired_model_is_registered_again(node: FakeNode, url: str, model_file: Path) -> None:
    node.signers = ()
    assert register(model_file, url, "--timeout", "3").exit_code == 1
    node.chain.height += DEADLINE + 1
    node.chain.send(STRANGER, MODEL_REGISTRY, encode_expire(MODEL))
    node.signers = VALIDATOR_KEYS[:1]
    assert list(result_of(register(model_file, url))["transactions"]) == [
        "commit",
        "register",
        "activate",
    ]


def test_too_few_attestations_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_fake_clock(monkeypatch)
    node = FakeNode(validators=4, rich=address_of(OWNER_KEY))
    node.signers = (*VALIDATOR_KEYS[:2], marked_test_key(999))
    path = tmp_path / "model.onnx"
    path.write_bytes(DATA)
    with serving(node) as url:
        result = register(path, url, "--timeout", "3")
        assert result.exit_code == 1
        assert "waited 3 s for attestations of more than 2/3 of the validators" in result.stderr
        assert status(node) is RegistryStatus.PENDING
        node.signers = (VALIDATOR_KEYS[3], *VALIDATOR_KEYS[:2], marked_test_key(999))
        assert result_of(register(path, url))["status"] == "active"


def test_a_royalty_is_registered(node: FakeNode, url: str, model_file: Path) -> None:
    result_of(register(model_file, url, "--royalty", "12"))
    entry = read_entry(node.chain.storage, MODEL, node.chain.height)
    assert entry is not None
    assert entry.royalty_gas == 12


def test_a_royalty_that_no_validator_attests_costs_nothing(
    node: FakeNode, url: str, model_file: Path
) -> None:
    result = register(model_file, url, "--royalty", "13")
    assert result.exit_code == 2
    assert "an even royalty: 13 gas" in result.stderr
    assert node.calls == []


def test_a_refusal_is_told_with_its_reason(node: FakeNode, url: str, model_file: Path) -> None:
    node.refusal = "operator: 'Loop' is not listed"
    result = register(model_file, url)
    assert result.exit_code == 1
    assert "the validator refuses the model: operator: 'Loop' is not listed" in result.stderr
    assert result.stdout == ""


def test_a_transaction_that_would_fail_is_not_sent(
    node: FakeNode, url: str, model_file: Path
) -> None:
    owner = address_of(OWNER_KEY)
    for number in range(4):
        node.chain.commit_and_register(bytes([number]) * 32, owner)
    result = register(model_file, url)
    assert result.exit_code == 1
    assert (
        f"register was not sent, it would fail: TooManyPendingModels(owner=0x{owner.hex()}, max=4)"
        in result.stderr
    )
    assert transactions(node) == 1


def test_a_file_that_breaks_a_rule_reaches_no_node(
    node: FakeNode, url: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(DATA[:-1])
    result = register(path, url)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: the file is not ONNX")
    assert node.calls == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param((), "name exactly one key", id="none"),
        pytest.param(("--key-env", "A", "--account", "dev"), "name exactly one key", id="two"),
        pytest.param(("--key-env", "UNSET"), "variable UNSET is not set", id="unset"),
        pytest.param(("--key-env", "OTHER"), "variable OTHER holds 2 bytes", id="short"),
        pytest.param(("--account", "dev"), "the only account with a known key", id="no dev key"),
        pytest.param(("--keystore", "k.json"), "needs --password-file", id="no password"),
        pytest.param(
            ("--keystore", "k.json", "--password-file", "absent"),
            "absent: No such file or directory",
            id="absent file",
        ),
    ],
)
def test_a_key_that_cannot_be_used_is_named(
    node: FakeNode, url: str, model_file: Path, options: tuple[str, ...], reason: str
) -> None:
    result = run("register", model_file, "--rpc", url, *options)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert node.calls == []


def test_the_dev_account_signs(node: FakeNode, url: str, model_file: Path) -> None:
    key = marked_test_key(5)
    node.chain.fund(address_of(key), 10**18)
    result = run("register", model_file, "--rpc", url, "--account", "dev", dev_key=key.to_bytes())
    assert result.exit_code == 0, result.stderr
    entry = read_entry(node.chain.storage, MODEL, node.chain.height)
    assert entry is not None
    assert entry.owner == address_of(key)


def test_nobody_at_the_address_is_a_plain_message(model_file: Path, node: FakeNode) -> None:
    with serving(node) as address:
        pass
    result = register(model_file, address)
    assert result.exit_code == 1
    assert f"no node answers at {address}" in result.stderr
    assert "`cvm dev`" in result.stderr


@pytest.mark.parametrize(
    ("method", "answer", "reason"),
    [
        pytest.param("cvm_modelStatus", 5, "cvm_modelStatus has another form", id="status"),
        pytest.param("eth_estimateGas", None, "eth_estimateGas has another form", id="quantity"),
        pytest.param("eth_call", "0x", "eth_call has another form", id="view"),
        pytest.param("eth_getTransactionReceipt", {}, "another form than expected", id="receipt"),
    ],
)
def test_an_answer_of_another_form_is_named(
    node: FakeNode, url: str, model_file: Path, method: str, answer: object, reason: str
) -> None:
    node.canned = {method: answer}
    result = register(model_file, url)
    assert result.exit_code == 1
    assert reason in result.stderr


def test_a_transaction_that_fails_on_chain_is_named(
    node: FakeNode, url: str, model_file: Path
) -> None:
    node.canned = {"eth_getTransactionReceipt": {"status": "0x0"}}
    result = register(model_file, url)
    assert result.exit_code == 1
    assert "commit transaction 0x" in result.stderr
    assert "failed on chain" in result.stderr


def test_models_are_listed_and_shown(node: FakeNode, url: str, model_file: Path) -> None:
    empty = run("list", "--rpc", url)
    assert "no models are registered" in empty.stdout
    register(model_file, url)
    listed = run("list", "--rpc", url)
    assert listed.stdout == f"0x{MODEL.hex()}  active    {len(DATA):,} bytes  {URI}\n"
    as_json = run("list", "--rpc", url, "--json")
    assert [model["modelId"] for model in json.loads(as_json.stdout)] == ["0x" + MODEL.hex()]
    shown = run("show", "0x" + MODEL.hex(), "--rpc", url)
    assert f"owner            0x{address_of(OWNER_KEY).hex()}" in shown.stdout
    assert f"size             {len(DATA):,}" in shown.stdout
    assert "cost             float32Macs 1,000,000" in shown.stdout
    in_json = json.loads(run("show", MODEL.hex(), "--rpc", url, "--json").stdout)
    assert in_json["status"] == "active"


def test_a_deposit_is_shown_in_ether_to_people(node: FakeNode, url: str) -> None:
    node.canned = {"cvm_getModel": {"modelId": "0x" + MODEL.hex(), "deposit": hex(10**15)}}
    shown = run("show", "0x" + MODEL.hex(), "--rpc", url)
    assert shown.stdout == f"modelId          0x{MODEL.hex()}\ndeposit          0.001 ether\n"
    in_json = json.loads(run("show", MODEL.hex(), "--rpc", url, "--json").stdout)
    assert in_json["deposit"] == hex(10**15)


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        pytest.param("0x12", "'0x12' is not a model id", id="short"),
        pytest.param("zz" * 32, "is not a model id: 0x and 64 hex digits", id="not hex"),
        pytest.param("0x" + "00" * 32, "no model 0x0000", id="unknown"),
    ],
)
def test_a_model_that_cannot_be_shown_is_named(
    node: FakeNode, url: str, identity: str, reason: str
) -> None:
    result = run("show", identity, "--rpc", url)
    assert result.exit_code == 2
    assert reason in result.stderr


@pytest.mark.parametrize(
    "address", [pytest.param("node", id="no scheme"), pytest.param("file:///etc", id="file")]
)
def test_an_address_that_is_no_url_is_named(address: str) -> None:
    result = run("list", "--rpc", address)
    assert result.exit_code == 1
    assert "is not an http:// or https:// address" in result.stderr
