"""The chain of one data directory: proposing, importing, refusing what is not the next block."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.block import Block
from consensus.certificate import CommitCertificate, certify, seal
from consensus.faults import (
    BadCertificate,
    ExecutionDisagrees,
    HeaderFieldWrong,
    InvalidBlock,
    InvalidGenesis,
)
from cvm.evm.message_call import SimulatedTransaction
from cvm.evm.state_reader import Account
from node.chain import Chain, OtherGenesis, init_chain
from node.execution.messages import call_message
from node.storage.chain_database import ChainDatabase, NoChainHere
from tests.chain_world import (
    STRANGER,
    USER,
    VALIDATOR,
    ChainWorld,
    address_of,
    final_block,
    genesis_document,
    signed,
)

GENESIS = json.dumps(genesis_document()).encode()
RECIPIENT = b"\xee" * 20
TRANSFER = signed(USER, 0, to=RECIPIENT, value=7, gas=21_000)


@pytest.fixture
def proposer(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "proposer", GENESIS)
    yield world
    world.close()


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "importer", GENESIS)
    yield world
    world.close()


def changed(block: Block, **fields: Any) -> Block:
    return Block(replace(block.header, **fields), block.transactions)


def certified(world: ChainWorld, block: Block) -> CommitCertificate:
    """Return a certificate of the real validator for any block."""
    sealed = seal(world.chain.domain, VALIDATOR, block.number, 0, block.hash)
    return certify(block.number, 0, block.hash, [(0, sealed)])


def test_a_proposed_block_is_the_head(proposer: ChainWorld) -> None:
    checked, left_out = proposer.propose([TRANSFER])
    assert left_out == ()
    assert proposer.chain.head.hash == checked.block.hash
    assert proposer.database.head_hash() == checked.block.hash
    with proposer.chain.state_at(proposer.chain.head) as state:
        assert state.account(RECIPIENT) == Account(balance=7)


def test_the_first_block_names_no_certificate_and_the_second_names_the_firsts(
    proposer: ChainWorld,
) -> None:
    first = proposer.propose()[0].block
    second = proposer.propose()[0].block
    assert first.header.parent_beacon_block_root == bytes(32)
    assert second.header.parent_beacon_block_root == final_block(proposer, 1)[1].hash


def test_an_imported_block_is_the_head(proposer: ChainWorld, importer: ChainWorld) -> None:
    proposer.propose([TRANSFER])
    block, certificate = final_block(proposer, 1)
    checked = importer.chain.import_block(block, certificate)
    assert checked is not None
    assert importer.chain.head.hash == proposer.chain.head.hash
    assert importer.database.transaction_location(bytes(block.transactions[0].hash)) == (
        block.hash,
        0,
    )


def test_importing_again_does_nothing(proposer: ChainWorld, importer: ChainWorld) -> None:
    for number in (1, 2):
        proposer.propose()
        importer.chain.import_block(*final_block(proposer, number))
    assert importer.chain.import_block(*final_block(proposer, 1)) is None
    assert importer.chain.import_block(*final_block(proposer, 2)) is None
    assert importer.chain.head.hash == proposer.chain.head.hash


def test_a_proposer_can_follow_and_go_on(proposer: ChainWorld, importer: ChainWorld) -> None:
    proposer.propose([TRANSFER])
    importer.chain.import_block(*final_block(proposer, 1))
    importer.propose()
    proposer.chain.import_block(*final_block(importer, 2))
    assert proposer.chain.head.hash == importer.chain.head.hash


def test_a_gap_is_refused(proposer: ChainWorld, importer: ChainWorld) -> None:
    proposer.propose()
    proposer.propose()
    with pytest.raises(HeaderFieldWrong, match="block 2: number is 2, must be 1"):
        importer.chain.import_block(*final_block(proposer, 2))


def test_another_block_at_a_height_that_is_taken_is_refused(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose([TRANSFER])
    importer.propose()
    with pytest.raises(HeaderFieldWrong, match="number is 1, must be 2"):
        importer.chain.import_block(*final_block(proposer, 1))


def test_a_block_far_above_every_height_is_refused(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose()
    block = changed(final_block(proposer, 1)[0], block_number=2**64 - 1)
    with pytest.raises(HeaderFieldWrong, match=f"number is {2**64 - 1}"):
        importer.chain.import_block(block, certified(importer, block))


def test_a_certificate_of_another_block_is_refused(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose()
    proposer.propose()
    with pytest.raises(BadCertificate, match="is for block 2"):
        importer.chain.import_block(final_block(proposer, 1)[0], final_block(proposer, 2)[1])


def test_a_seal_by_a_stranger_is_refused(proposer: ChainWorld, importer: ChainWorld) -> None:
    proposer.propose()
    block, certificate = final_block(proposer, 1)
    by_stranger = seal(importer.chain.domain, STRANGER, 1, 0, block.hash)
    with pytest.raises(BadCertificate, match=f"seal 0 is by 0x{address_of(STRANGER).hex()}"):
        importer.chain.import_block(block, replace(certificate, seals=(by_stranger,)))
    assert int(importer.chain.head.block_number) == 0


def test_a_certified_block_with_a_wrong_root_is_refused_and_not_written(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose([TRANSFER])
    block = changed(final_block(proposer, 1)[0], state_root=b"\1" * 32)
    with pytest.raises(ExecutionDisagrees, match="stateRoot"):
        importer.chain.import_block(block, certified(importer, block))
    assert importer.database.block_bytes(block.hash) is None
    assert int(importer.chain.head.block_number) == 0
    assert importer.chain.import_block(*final_block(proposer, 1)) is not None


def test_a_block_whose_parent_is_another_is_refused(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose()
    block = changed(final_block(proposer, 1)[0], parent_hash=b"\1" * 32)
    with pytest.raises(InvalidBlock, match="parentHash"):
        importer.chain.import_block(block, certified(importer, block))


def test_a_parent_certificate_that_the_next_header_does_not_name_is_refused(
    proposer: ChainWorld, importer: ChainWorld
) -> None:
    proposer.propose()
    proposer.propose()
    importer.chain.import_block(*final_block(proposer, 1))
    block = changed(final_block(proposer, 2)[0], parent_beacon_block_root=b"\1" * 32)
    with pytest.raises(HeaderFieldWrong, match="parentBeaconBlockRoot"):
        importer.chain.import_block(block, certified(importer, block))


def test_a_missing_parent_certificate_is_named(proposer: ChainWorld) -> None:
    proposer.propose()
    lost = proposer.chain.head.hash

    class Forgetful:
        def __getattr__(self, name: str) -> object:
            return getattr(proposer.database, name)

        def certificate(self, block_hash: bytes) -> None:
            assert block_hash == lost

    proposer.chain.database = Forgetful()  # type: ignore[assignment]
    with pytest.raises(BadCertificate, match="is missing from the database"):
        proposer.propose()


def test_the_same_genesis_again_is_left_alone(proposer: ChainWorld) -> None:
    proposer.propose()
    init_chain(proposer.database, GENESIS)
    assert proposer.database.head_hash() == proposer.chain.head.hash


def test_another_genesis_is_refused(proposer: ChainWorld) -> None:
    other = json.dumps(genesis_document() | {"timestamp": "0x1"}).encode()
    with pytest.raises(OtherGenesis, match="use another --datadir"):
        init_chain(proposer.database, other)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="nested lists"),
        pytest.param(b'{"config": {"chainId": ' + b"9" * 5_000 + b"}}", id="5,000 digits"),
    ],
)
def test_a_genesis_file_that_is_not_json_is_refused(proposer: ChainWorld, data: bytes) -> None:
    with pytest.raises(InvalidGenesis, match="the genesis file is not JSON"):
        init_chain(proposer.database, data)


def test_without_a_chain_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    database = ChainDatabase(tmp_path / "data" / "chain")
    try:
        with pytest.raises(
            NoChainHere, match=rf"cvm init GENESIS.json --datadir {tmp_path}/data` first$"
        ):
            Chain(database, None)  # type: ignore[arg-type]
    finally:
        database.close()


def test_a_reopened_chain_goes_on(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path / "again", GENESIS)
    world.propose([TRANSFER])
    head = world.chain.head.hash
    world.close()
    world = ChainWorld(tmp_path / "again", GENESIS)
    assert world.chain.head.hash == head
    world.propose()
    assert int(world.chain.head.block_number) == 2
    world.close()


def test_a_call_sees_older_hashes_and_the_randao(proposer: ChainWorld) -> None:
    """The code returns BLOCKHASH(0) and PREVRANDAO, run on block 2."""
    proposer.propose()
    proposer.propose()
    initcode = bytes.fromhex("5f405f524460205260405ff3")
    message = SimulatedTransaction(
        sender=address_of(USER), to=b"", gas=1_000_000, gas_price=0, value=0, data=initcode
    )
    result = call_message(proposer.chain.execution, proposer.chain.head, message)
    assert result.error is None
    assert result.output[:32] == proposer.database.hash_at(0)
    assert result.output[32:] == proposer.chain.head.mix_hash
