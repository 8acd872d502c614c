"""Following a chain by certificates: whole changes of the set, and nothing that is not proven."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from consensus.certificate import CommitCertificate
from consensus.faults import BadCertificate
from consensus.light_client import (
    FIXED_SLOTS,
    BadProof,
    TrustedPoint,
    TrustedPointTooOld,
    follow,
    proven_state,
    seat_slots,
    trusted_point,
    validate_age,
    validate_final,
)
from cvm.evm.header import BlockHeader
from cvm.evm.trie_state import TrieState
from models_registry.addresses import VALIDATOR_SET
from tests.chain_world import GENESIS_TIME, address_of
from tests.unit.node.p2p.epoch_world import (
    FOUNDERS,
    KEYS,
    UNBONDING_BLOCKS,
    EpochWorld,
    changing_world,
)

OLD = tuple(address_of(key) for key in FOUNDERS)
NEW = tuple(address_of(key) for key in KEYS[4:])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EpochWorld]:
    made = changing_world(tmp_path_factory.mktemp("epochs"))
    yield made
    made.close()


def header(world: EpochWorld, height: int) -> BlockHeader:
    found = world.chain.header_at(height)
    assert found is not None
    return found


def certificate(world: EpochWorld, height: int) -> CommitCertificate:
    found = world.chain.certificate_at(height)
    assert found is not None
    return found


def nodes(world: EpochWorld, height: int, places: int = 8) -> list[bytes]:
    state = TrieState(header(world, height).state_root, world.database.state)
    slots = (*FIXED_SLOTS, *seat_slots(places))
    storage = [node for slot in slots for node in state.storage_proof(VALIDATOR_SET, slot)]
    return [*state.account_proof(VALIDATOR_SET), *storage]


def proven(world: EpochWorld, height: int) -> TrieState:
    return proven_state(header(world, height).state_root, nodes(world, height))


def trusted(world: EpochWorld, height: int) -> TrustedPoint:
    return trusted_point(header(world, height), proven(world, height))


def followed(world: EpochWorld, start: int, height: int) -> TrustedPoint:
    """Go from a trusted block to the last one up to a height that fixes a set."""
    point = trusted(world, start)
    while point.next_height() <= height:
        at = point.next_height()
        point = follow(
            point, world.chain.domain, certificate(world, at), header(world, at), proven(world, at)
        )
    return point


def test_a_trusted_header_gives_the_validators_of_its_epoch_and_near_the_end_of_the_next(
    world: EpochWorld,
) -> None:
    assert trusted(world, 0).sets == ((0, OLD),)
    assert [epoch for epoch, _set in trusted(world, 5).sets] == [1]
    assert [epoch for epoch, _set in trusted(world, 6).sets] == [1, 2]
    assert trusted(world, 5).next_height() == 6
    assert trusted(world, 6).next_height() == 10


@pytest.mark.parametrize("start", [0, 1, 2, 3, 17, 30, 45])
def test_sets_are_followed_until_nobody_of_the_first_one_is_left(
    world: EpochWorld, start: int
) -> None:
    point = followed(world, start, 60)
    assert point.header.block_number == 58
    assert point.validators_at(60) == NEW
    assert set(point.validators_at(60)).isdisjoint(OLD)
    validate_final(point, world.chain.domain, certificate(world, 60))


def test_every_block_is_final_to_a_client_that_followed(world: EpochWorld) -> None:
    point = trusted(world, 0)
    for height in range(1, 61):
        validate_final(point, world.chain.domain, certificate(world, height))
        if height == point.next_height():
            point = followed(world, 0, height)


def test_the_validators_of_a_later_epoch_are_not_guessed(world: EpochWorld) -> None:
    with pytest.raises(BadCertificate, match="epoch 3 are not known yet"):
        validate_final(trusted(world, 5), world.chain.domain, certificate(world, 12))


def test_those_who_left_make_nothing_final(world: EpochWorld) -> None:
    point = followed(world, 0, 58)
    forged = world.certificate(59, b"\x66" * 32, OLD)
    with pytest.raises(BadCertificate):
        validate_final(point, world.chain.domain, forged)


def test_a_block_that_is_not_above_the_trusted_one_is_refused(world: EpochWorld) -> None:
    with pytest.raises(BadCertificate, match="not above"):
        validate_final(trusted(world, 6), world.chain.domain, certificate(world, 6))


def test_a_header_of_another_block_is_refused(world: EpochWorld) -> None:
    other = replace(header(world, 6), extra_data=b"other")
    with pytest.raises(BadProof, match="not that of the certificate"):
        follow(
            trusted(world, 5), world.chain.domain, certificate(world, 6), other, proven(world, 6)
        )


def test_a_missing_or_changed_node_is_noticed(world: EpochWorld) -> None:
    whole = nodes(world, 30)
    root = header(world, 30).state_root
    assert trusted_point(header(world, 30), proven_state(root, whole)) == trusted(world, 30)
    for index in range(len(whole)):
        fewer = [node for node in whole if node != whole[index]]
        changed = [*fewer, whole[index][:-1] + bytes([whole[index][-1] ^ 1])]
        for damaged in (fewer, changed):
            with pytest.raises(BadProof, match="not proven"):
                trusted_point(header(world, 30), proven_state(root, damaged))


def test_the_state_of_another_block_proves_nothing(world: EpochWorld) -> None:
    root = header(world, 30).state_root
    with pytest.raises(BadProof, match="not proven"):
        trusted_point(header(world, 30), proven_state(root, nodes(world, 5)))


def test_a_point_older_than_half_the_unbonding_time_is_refused(world: EpochWorld) -> None:
    point = trusted(world, 0)
    limit_s = UNBONDING_BLOCKS // 2
    validate_age(point, GENESIS_TIME + limit_s, 1)
    validate_age(point, GENESIS_TIME + 2 * limit_s, 2)
    with pytest.raises(TrustedPointTooOld, match=r"block 0 is 501 s old.* 500 s old at most"):
        validate_age(point, GENESIS_TIME + limit_s + 1, 1)
