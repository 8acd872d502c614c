"""Ommers of a block of proof of work: paid where they are right, refused by name where not."""

from dataclasses import replace

import pytest

from consensus.ethereum.faults import (
    InvalidOmmer,
    OmmerAlreadyThere,
    OmmerIsAncestor,
    OmmerOfStranger,
    TooManyOmmers,
    WrongDifficulty,
    WrongOmmersHash,
)
from consensus.ethereum.historic_forks import BYZANTIUM, HOMESTEAD, ISTANBUL, HistoricFork
from consensus.faults import InvalidBlock
from cvm.evm.header import BlockHeader
from cvm.evm.state_reader import Account
from tests.unit.consensus.ethereum.historic_world import MINER, HistoricWorld, child_of

UNCLE = b"\xbb" * 20
ETHER = 10**18


def ommer_of(parent: BlockHeader, extra_data: bytes = b"") -> BlockHeader:
    return child_of(parent, HOMESTEAD, coinbase=UNCLE, extra_data=extra_data)


class Family:
    """A chain of nine empty blocks and their headers."""

    def __init__(self) -> None:
        self.world = HistoricWorld(HOMESTEAD)
        self.headers = [self.world.chain.head]
        for _place in range(9):
            self.world.extend(1)
            self.headers.append(self.world.chain.head)

    def refuse(self, fault: type[InvalidBlock], words: str, *ommers: BlockHeader) -> None:
        """Demand that a block with these ommers is refused on the head, for one reason."""
        with pytest.raises(fault, match=words):
            self.world.chain.import_decoded(self.world.block(ommers=ommers))


@pytest.fixture
def family() -> Family:
    return Family()


@pytest.mark.parametrize(
    ("fork", "back", "miner_wei", "uncle_wei"),
    [
        pytest.param(HOMESTEAD, 1, 5 * ETHER + 156_250_000_000_000_000, 4_375 * 10**15, id="one"),
        pytest.param(HOMESTEAD, 6, 5 * ETHER + 156_250_000_000_000_000, 1_250 * 10**15, id="six"),
        pytest.param(BYZANTIUM, 1, 3 * ETHER + 93_750_000_000_000_000, 2_625 * 10**15, id="649"),
        pytest.param(ISTANBUL, 2, 2 * ETHER + 62_500_000_000_000_000, 1_500 * 10**15, id="1234"),
    ],
)
def test_an_ommer_and_who_brings_it_are_paid_by_the_fork(
    fork: HistoricFork, back: int, miner_wei: int, uncle_wei: int
) -> None:
    world = HistoricWorld(fork)
    headers = [world.chain.head]
    for _place in range(7):
        world.extend(1)
        headers.append(world.chain.head)
    ommer = child_of(headers[7 - back], fork, coinbase=UNCLE)
    paid = {
        MINER: Account(balance=7 * fork.reward_wei + miner_wei),
        UNCLE: Account(balance=uncle_wei),
    }
    block = world.block(ommers=(ommer,), state_root=world.root_with(paid))
    world.chain.import_decoded(block)
    assert world.chain.head.hash == block.hash


def test_a_parent_of_an_ommer_is_2_to_7_blocks_back(family: Family) -> None:
    family.refuse(OmmerOfStranger, "no ancestor 2 to 7 blocks back", ommer_of(family.headers[9]))
    family.refuse(OmmerOfStranger, "no ancestor 2 to 7 blocks back", ommer_of(family.headers[2]))


def test_the_same_ommer_does_not_come_twice(family: Family) -> None:
    ommer = ommer_of(family.headers[8])
    family.refuse(OmmerAlreadyThere, f"ommer 0x{ommer.hash.hex()} is there", ommer, ommer)


def test_an_ommer_of_an_ancestor_does_not_come_again(family: Family) -> None:
    world, ommer = family.world, ommer_of(family.headers[8])
    paid = {
        MINER: Account(balance=10 * 5 * ETHER + 5 * ETHER // 32),
        UNCLE: Account(balance=5 * ETHER * 7 // 8),
    }
    world.chain.import_decoded(world.block(ommers=(ommer,), state_root=world.root_with(paid)))
    family.refuse(OmmerAlreadyThere, "is there already", ommer)


def test_an_ancestor_is_no_ommer(family: Family) -> None:
    family.refuse(OmmerIsAncestor, "is an ancestor", family.headers[8])


def test_a_block_has_at_most_two_ommers(family: Family) -> None:
    ommers = [ommer_of(family.headers[8], extra_data=bytes((place,))) for place in range(3)]
    family.refuse(TooManyOmmers, "block 10: 3 ommers, at most 2", *ommers)


def test_the_header_of_an_ommer_keeps_the_rules(family: Family) -> None:
    ommer = replace(ommer_of(family.headers[8]), difficulty=1)
    with pytest.raises(InvalidOmmer, match="block 9: difficulty is 1, must be 131072") as caught:
        family.world.chain.import_decoded(family.world.block(ommers=(ommer,)))
    assert isinstance(caught.value.__cause__, WrongDifficulty)


def test_the_header_names_the_ommers(family: Family) -> None:
    block = family.world.block(uncles_hash=b"\1" * 32)
    with pytest.raises(WrongOmmersHash, match=r"is 0x1dcc4de8.*, the header says 0x0101"):
        family.world.chain.import_decoded(block)
