"""`cvm init` and `import` on a plain Ethereum chain: geth's files, and a line for what is wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consensus.ethereum import historic_execution
from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_genesis import ethereum_genesis_block, parse_ethereum_genesis
from consensus.ethereum.historic_forks import HOMESTEAD
from cvm.evm.state_committer import StateCommitter
from node.cli.app import build_app
from tests.chain_world import genesis_document
from tests.integration.node_process import environment
from tests.unit.consensus.ethereum.ethereum_world import child_of
from tests.unit.consensus.ethereum.historic_world import child_of as historic_child_of

APP = build_app(None)
CONFIG = {"chainId": 1, "terminalTotalDifficulty": 0, "londonBlock": 0}
MODULES_OF_PY_EVM = "import sys, node.cli.ethereum; print({'eth', 'trie'} & sys.modules.keys())"
GENESIS: dict[str, Any] = {
    "config": CONFIG | {"shanghaiTime": 0, "cancunTime": 0},
    "gasLimit": "0x1c9c380",
    "alloc": {"11" * 20: {"balance": "0x10"}},
}
BLOCKS = 40
"""More than are decoded ahead."""


def no_node(node_hash: bytes) -> bytes | None:
    """Read an empty store."""
    return None


def made_chain() -> list[EthereumBlock]:
    """Return block 0 of `GENESIS` and blocks without transactions on it."""
    genesis = parse_ethereum_genesis(GENESIS)
    chain = [ethereum_genesis_block(genesis, StateCommitter(no_node))[0]]
    for _place in range(BLOCKS):
        chain.append(EthereumBlock(child_of(chain[-1].header), (), (), ()))
    return chain


CHAIN = made_chain()


def encoded(blocks: list[EthereumBlock]) -> bytes:
    return b"".join(block.encode() for block in blocks)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in a folder with geth's files of the chain."""
    monkeypatch.chdir(tmp_path)
    Path("genesis.json").write_text(json.dumps(GENESIS))
    Path("chain.rlp").write_bytes(encoded(CHAIN))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, [*arguments, "--datadir", "data"])


def report(file: str) -> dict[str, Any]:
    """Import a file and return what the command says."""
    done = run("import", file, "--json")
    assert done.exit_code == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def refused(done: Result) -> str:
    """Return the one line of a refused command."""
    assert done.exit_code == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_init_shows_block_0_and_may_be_repeated() -> None:
    for _time in range(2):
        done = run("init", "genesis.json")
        assert done.stdout.startswith(f"genesis 0x{CHAIN[0].hash.hex()}  state root 0x")


def test_every_block_is_imported_and_block_0_passed_over() -> None:
    run("init", "genesis.json")
    told = report("chain.rlp")
    head = CHAIN[-1]
    assert told == {
        "blocks": BLOCKS,
        "knownBlocks": 1,
        "transactions": 0,
        "gasUsed": 0,
        "head": BLOCKS,
        "headHash": f"0x{head.hash.hex()}",
        "stateRoot": f"0x{head.header.state_root.hex()}",
    }


def test_an_import_goes_on_where_the_last_one_ended() -> None:
    run("init", "genesis.json")
    Path("some.rlp").write_bytes(encoded(CHAIN[1:6]))
    assert report("some.rlp")["head"] == 5
    told = report("chain.rlp")
    assert (told["blocks"], told["knownBlocks"]) == (BLOCKS - 5, 6)


def test_a_block_that_stands_twice_is_taken_once() -> None:
    run("init", "genesis.json")
    Path("twice.rlp").write_bytes(encoded([*CHAIN[1:4], *CHAIN[2:6]]))
    told = report("twice.rlp")
    assert (told["blocks"], told["knownBlocks"], told["head"]) == (5, 2, 5)


def wrong_root() -> EthereumBlock:
    return replace(CHAIN[3], header=replace(CHAIN[3].header, state_root=b"\1" * 32))


@pytest.mark.parametrize(
    ("data", "head", "words"),
    [
        pytest.param(
            encoded([*CHAIN[:3], wrong_root()]),
            2,
            "block 3: stateRoot of the execution is 0x",
            id="a-wrong-state-root",
        ),
        pytest.param(encoded(CHAIN[:35]) + b"\xc1\xc0", 34, "item 35 of the file: ", id="no-block"),
        pytest.param(
            encoded(CHAIN)[:-9],
            BLOCKS - 1,
            f"item {BLOCKS} of the file: the file ends 9 bytes early",
            id="a-file-that-breaks-off",
        ),
        pytest.param(b"garbage", 0, "item 0 of the file: byte 0x67 does not open", id="garbage"),
        pytest.param(
            encoded([CHAIN[1], CHAIN[3]]), 1, "block 3: its parent 0x", id="a-block-is-missing"
        ),
        pytest.param(
            encoded([*CHAIN[:3], EthereumBlock(child_of(CHAIN[0].header, extra_data=b"?"), ())]),
            2,
            "block 1 of the file is 0x",
            id="a-block-beside-the-chain",
        ),
    ],
)
def test_what_is_wrong_is_named_and_the_blocks_before_it_stay(
    data: bytes, head: int, words: str
) -> None:
    run("init", "genesis.json")
    Path("wrong.rlp").write_bytes(data)
    assert words in refused(run("import", "wrong.rlp"))
    Path("empty.rlp").touch()
    told = report("empty.rlp")
    assert (told["head"], told["headHash"]) == (head, f"0x{CHAIN[head].hash.hex()}")


def test_an_import_without_a_chain_makes_no_folder() -> None:
    assert "cvm init GENESIS.json" in refused(run("import", "chain.rlp"))
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param(
            {**GENESIS, "gasLimit": "0x1388"}, "use another --datadir", id="another-genesis"
        ),
        pytest.param(
            {**GENESIS, "config": {**GENESIS["config"], "pragueTime": 9}},
            "with another `config`",
            id="other-forks",
        ),
        pytest.param({**GENESIS, "gasLimit": "lots"}, "gasLimit: 'lots'", id="a-wrong-field"),
        pytest.param(genesis_document(), "use another --datadir", id="our-own-chain"),
    ],
)
def test_a_genesis_file_that_does_not_fit_is_refused(document: Any, words: str) -> None:
    run("init", "genesis.json")
    Path("other.json").write_text(json.dumps(document))
    assert words in refused(run("init", "other.json"))


def test_a_missing_file_is_named() -> None:
    run("init", "genesis.json")
    assert "none.rlp: No such file" in refused(run("import", "none.rlp"))


def test_blocks_before_paris_without_py_evm_are_a_fault_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_name: str) -> object:
        raise ModuleNotFoundError("No module named 'eth'", name="eth")

    monkeypatch.setattr(historic_execution, "import_module", missing)
    document = {"config": {"chainId": 1, "homesteadBlock": 0}, "gasLimit": "0x1c9c380"}
    genesis = parse_ethereum_genesis(document | {"difficulty": "0x20000"})
    parent = ethereum_genesis_block(genesis, StateCommitter(no_node))[0].header
    block = EthereumBlock(historic_child_of(parent, HOMESTEAD), ())
    Path("old.json").write_text(json.dumps(document | {"difficulty": "0x20000"}))
    Path("old.rlp").write_bytes(block.encode())
    run("init", "old.json")
    done = run("import", "old.rlp")
    assert done.exit_code == 3
    assert "block 1 follows Homestead: blocks before Paris need" in done.stderr


def test_a_command_does_not_import_py_evm_before_a_block_needs_it() -> None:
    command = [sys.executable, "-c", MODULES_OF_PY_EVM]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment(), timeout=60
    )
    assert done.stdout == "set()\n"
