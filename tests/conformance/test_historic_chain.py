"""The chain of execution-apis, from Homestead's rules to those of BPO 2, is imported to its head.

Its proof of work is made up; everything else of its 54 blocks is real.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.ethereum.ethereum_block import EthereumBlock, decode_ethereum_block, split_blocks
from consensus.ethereum.faults import (
    GasLimitJumps,
    WrongBaseFee,
    WrongDifficulty,
    WrongOmmersHash,
    WrongReceiptsRoot,
    WrongStateRoot,
)
from consensus.faults import InvalidBlock
from node.ethereum_archive import import_ethereum_blocks, init_ethereum_chain
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase
from tests.conformance.archives import files_of, require_suite

HEAD = bytes.fromhex("d226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7")
BLOCKS = 54
FIRST_OF_PROOF_OF_STAKE = 36
OTHER = b"\1" * 32


@pytest.fixture
def recovery() -> Iterator[SenderRecovery]:
    recovery = SenderRecovery()
    yield recovery
    recovery.close()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    wanted = ("genesis.json", "chain.rlp")
    parts = ((Path(name).name, data) for name, data in files_of(require_suite("rpc-compat")))
    return {name: data for name, data in parts if name in wanted}


def imported(folder: Path, genesis: bytes, raws: list[bytes], recovery: SenderRecovery) -> bytes:
    """Import blocks into the database of a folder, opened anew; return the head's hash."""
    database = ChainDatabase(folder)
    try:
        forks = init_ethereum_chain(database, genesis)
        head = import_ethereum_blocks(database, forks, raws, recovery).head
        assert database.head_hash() == head.hash
        return head.hash
    finally:
        database.close()


def test_the_whole_chain_is_imported(
    tmp_path: Path, files: dict[str, bytes], recovery: SenderRecovery
) -> None:
    raws = split_blocks(files["chain.rlp"])
    assert len(raws) == BLOCKS
    assert imported(tmp_path, files["genesis.json"], raws, recovery) == HEAD


def test_a_node_that_is_restarted_on_the_way_comes_to_the_same_head(
    tmp_path: Path, files: dict[str, bytes], recovery: SenderRecovery
) -> None:
    raws = split_blocks(files["chain.rlp"])
    for end in (4, 5, 10, 26, 27, FIRST_OF_PROOF_OF_STAKE - 1, 40):
        head = imported(tmp_path, files["genesis.json"], raws[:end], recovery)
        assert head == decode_ethereum_block(raws[end - 1]).hash
    assert imported(tmp_path, files["genesis.json"], raws, recovery) == HEAD


@pytest.mark.parametrize(
    ("number", "changed", "fault", "words"),
    [
        pytest.param(
            10,
            {"difficulty": 131_072},
            WrongDifficulty,
            "block 10: difficulty is 131072, must be 131136",
            id="difficulty",
        ),
        pytest.param(
            12, {"state_root": OTHER}, WrongStateRoot, "block 12: stateRoot of", id="state-root"
        ),
        pytest.param(
            14,
            {"coinbase": b"\1" * 20},
            WrongStateRoot,
            "block 14: stateRoot of the execution is 0x",
            id="the-reward-of-another",
        ),
        pytest.param(
            5, {"receipt_root": OTHER}, WrongReceiptsRoot, "block 5: receiptsRoot", id="frontier"
        ),
        pytest.param(
            20, {"receipt_root": OTHER}, WrongReceiptsRoot, "block 20: receiptsRoot", id="istanbul"
        ),
        pytest.param(
            16,
            {"gas_limit": 100_097_657},
            GasLimitJumps,
            "block 16: gas limit 100097657 is too far from the parent's 100000000",
            id="gas-limit",
        ),
        pytest.param(
            27,
            {"gas_limit": 100_000_000},
            GasLimitJumps,
            "block 27: gas limit 100000000 is too far from the parent's 200000000",
            id="a-gas-limit-that-london-does-not-double",
        ),
        pytest.param(
            27,
            {"base_fee_per_gas": 875_000_000},
            WrongBaseFee,
            "block 27: baseFeePerGas is 875000000, must be 1000000000",
            id="london-s-first-base-fee",
        ),
    ],
)
def test_a_block_of_proof_of_work_that_breaks_a_rule_is_refused(
    tmp_path: Path,
    files: dict[str, bytes],
    recovery: SenderRecovery,
    number: int,
    changed: dict[str, Any],
    fault: type[InvalidBlock],
    words: str,
) -> None:
    raws = split_blocks(files["chain.rlp"])[:number]
    right = decode_ethereum_block(raws[-1])
    wrong = replace(right, header=replace(right.header, **changed)).encode()
    with pytest.raises(fault, match=words):
        imported(tmp_path, files["genesis.json"], [*raws[:-1], wrong], recovery)
    assert imported(tmp_path, files["genesis.json"], raws, recovery) == right.hash


def test_an_ommer_that_the_header_does_not_name_is_refused(
    tmp_path: Path, files: dict[str, bytes], recovery: SenderRecovery
) -> None:
    raws = split_blocks(files["chain.rlp"])[:3]
    right = decode_ethereum_block(raws[-1])
    assert len(right.ommers) == 1
    wrong = EthereumBlock(right.header, right.transactions)
    with pytest.raises(WrongOmmersHash, match="block 3: sha3Uncles of the body is 0x1dcc4de8"):
        imported(tmp_path, files["genesis.json"], [*raws[:-1], wrong.encode()], recovery)
