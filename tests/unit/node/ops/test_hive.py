"""hive's environment becomes a genesis file and flags, and its entry script runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consensus.ethereum.ethereum_forks import parse_forks
from node.cli.app import build_app
from node.ops.hive_genesis import BadVariable, hive_genesis, main
from tests.integration.node_process import ROOT, environment

SCRIPT = ROOT / "node" / "ops" / "hive.sh"
TIMEOUT_S = 120
GENESIS = {
    "config": {"ethash": {}},
    "nonce": "0x0",
    "timestamp": "0x0",
    "extraData": "0x",
    "gasLimit": "0x1c9c380",
    "difficulty": "0x0",
    "mixHash": "0x" + "00" * 32,
    "coinbase": "0x" + "00" * 20,
    "baseFeePerGas": "0x3b9aca00",
    "alloc": {"0x" + "11" * 20: {"balance": "0x64"}},
}
MERGED = {
    "HIVE_CHAIN_ID": "7",
    **{
        f"HIVE_FORK_{name}": "0"
        for name in (
            *("HOMESTEAD", "TANGERINE", "SPURIOUS", "BYZANTIUM", "CONSTANTINOPLE"),
            *("PETERSBURG", "ISTANBUL", "BERLIN", "LONDON"),
        )
    },
    "HIVE_MERGE_BLOCK_ID": "0",
    "HIVE_TERMINAL_TOTAL_DIFFICULTY": "0",
    "HIVE_SHANGHAI_TIMESTAMP": "0",
    "HIVE_CANCUN_TIMESTAMP": "0",
    "HIVE_PRAGUE_TIMESTAMP": "100",
    "HIVE_CANCUN_BLOB_TARGET": "3",
    "HIVE_CANCUN_BLOB_MAX": "6",
    "HIVE_CANCUN_BLOB_BASE_FEE_UPDATE_FRACTION": "3338477",
}


def config_of(environment: dict[str, str], config: object = None) -> dict[str, object]:
    made = hive_genesis({**GENESIS, "config": config}, environment)["config"]
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize(
    ("variables", "config"),
    [
        pytest.param({}, {"chainId": 1}, id="nothing"),
        pytest.param({"HIVE_CHAIN_ID": "5"}, {"chainId": 5}, id="chain id"),
        pytest.param({"HIVE_CHAIN_ID": "0x10"}, {"chainId": 16}, id="hexadecimal"),
        pytest.param({"HIVE_FORK_LONDON": ""}, {"chainId": 1}, id="empty is not set"),
        pytest.param(
            {"HIVE_FORK_SPURIOUS": "3"},
            {"chainId": 1, "eip155Block": 3, "eip158Block": 3},
            id="one variable, two keys",
        ),
        pytest.param({"HIVE_OSAKA_TIMESTAMP": "9"}, {"chainId": 1, "osakaTime": 9}, id="a time"),
        pytest.param(
            {"HIVE_BPO1_TIMESTAMP": "9", "HIVE_BPO1_BLOB_MAX": "12"},
            {"chainId": 1, "bpo1Time": 9, "blobSchedule": {"bpo1": {"max": 12}}},
            id="blobs",
        ),
    ],
)
def test_variables_become_keys_of_config(
    variables: dict[str, str], config: dict[str, object]
) -> None:
    assert config_of(variables) == config


def test_what_the_file_says_stays_where_the_environment_is_silent() -> None:
    known = {"chainId": 9, "londonBlock": 4, "berlinBlock": 1, "blobSchedule": {"prague": {}}}
    made = config_of({"HIVE_FORK_BERLIN": "2", "HIVE_CANCUN_BLOB_MAX": "6"}, known)
    assert made == {
        "chainId": 9,
        "londonBlock": 4,
        "berlinBlock": 2,
        "blobSchedule": {"prague": {}, "cancun": {"max": 6}},
    }


@pytest.mark.parametrize("text", ["soon", "1.5", "0xzz"])
def test_a_variable_without_a_number_is_named(text: str) -> None:
    with pytest.raises(BadVariable, match="HIVE_FORK_BERLIN is"):
        config_of({"HIVE_FORK_BERLIN": text})


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/genesis.json"], {}) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose `cvm` and `python3` are this repository's."""
    (tmp_path / "bin").mkdir()
    for name, arguments in (("cvm", "-m node.cli "), ("python3", "")):
        path = tmp_path / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n')
        path.chmod(0o755)
    found = environment() | {"HIVE_ROOT": str(tmp_path / "root"), "HIVE_RUN": "echo"}
    return found | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_the_script_starts_a_chain_and_would_run_a_node(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    root = tmp_path / "root"
    (root / "blocks").mkdir(parents=True)
    (root / "genesis.json").write_text(json.dumps(GENESIS))
    (root / "chain.rlp").write_bytes(b"\xc0")
    (root / "blocks" / "1.rlp").write_bytes(b"\xc0")
    done = subprocess.run(
        ["bash", str(SCRIPT)],
        env=shell | MERGED | {"HIVE_BOOTNODE": "enode://a@b:1", "HIVE_LOGLEVEL": "4"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((root / "hive-data" / "genesis.json").read_text())["config"]
    assert (made["chainId"], made["pragueTime"]) == (7, 100)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("genesis 0x")
    assert "chain.rlp: stopped at a block" in lines
    assert f"{root}/blocks/1.rlp: refused" in lines
    assert lines[-1].startswith("cvm node --datadir")
    checked = CliRunner().invoke(build_app("dumpconfig"), ["dumpconfig", *lines[-1].split()[2:]])
    assert checked.exit_code == 0, checked.stderr
    for line in ('bootnodes = ["enode://a@b:1"]', "verbosity = 4", 'vhosts = ["*"]'):
        assert line in checked.stdout.splitlines()


def test_forks_are_read_as_the_chain_reads_them() -> None:
    forks = parse_forks(config_of(MERGED), 0)
    assert [(point.first, point.name) for point in forks.by_time][-2:] == [
        (0, "Cancun"),
        (100, "Prague"),
    ]


def test_the_script_is_sound() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True, timeout=TIMEOUT_S)
    shellcheck = shutil.which("shellcheck")
    if shellcheck is not None:
        subprocess.run([shellcheck, str(SCRIPT)], check=True, timeout=TIMEOUT_S)
    assert os.access(SCRIPT, os.X_OK)
