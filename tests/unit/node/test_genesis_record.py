"""Validators have the contract keep block 0's hash by themselves, once, from their own account."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from models_registry.registry import read_genesis_hash
from node import genesis_record
from node.genesis_record import TURN_BLOCKS, GenesisRecorder
from node.lone_network import LoneNetwork
from node.readiness import NodeReadiness, Phase
from node.transaction_pool import TransactionPool
from tests.chain_world import CHAIN_ID, GENESIS_TIME, STRANGER, VALIDATOR, ChainWorld, address_of
from tests.chain_world import signed as signed_by
from tests.four_validators import KEYS, FourWorld

TIMEOUT_S = 30
WEI = 10**18


def genesis(*keys: PrivateKey, funded: bool = True) -> bytes:
    document = new_genesis(
        ChainParameters(chain_id=CHAIN_ID, period_s=1),
        [address_of(key) for key in keys],
        {address_of(key): WEI for key in keys} if funded else {},
        GENESIS_TIME,
    )
    return json.dumps(document).encode()


class Network(LoneNetwork):
    """A network that keeps what the pools tell of, and may be behind."""

    def __init__(self, world: ChainWorld) -> None:
        super().__init__(world.chain, world.store)
        self.announced: list[Transaction] = []
        self.has_announced = asyncio.Event()
        self.phase = Phase.READY

    def announce(self, tx: Transaction) -> None:
        self.announced.append(tx)
        self.has_announced.set()

    def status(self) -> NodeReadiness:
        return replace(super().status(), phase=self.phase)


class Validators:
    """Some validators of one chain, each with a pool and a recorder of its own."""

    def __init__(self, world: ChainWorld, *keys: PrivateKey) -> None:
        self.world = world
        self.network = Network(world)
        self.pools = [TransactionPool(CHAIN_ID) for _ in keys]
        for pool in self.pools:
            pool.on_pending(self.network.announce)
        self.recorders = [
            GenesisRecorder(world.chain, key, pool, self.network)
            for key, pool in zip(keys, self.pools, strict=True)
        ]

    def look(self) -> list[bool]:
        """Have all of them look; return which have nothing left to do."""
        return [recorder.look() for recorder in self.recorders]

    def waiting(self) -> list[int]:
        return [len(pool) for pool in self.pools]

    def block(self, *pools: TransactionPool) -> None:
        """Make a block of what waits, and have the pools forget it."""
        self.world.propose([tx.raw for pool in pools for tx in pool.best_first(0)])
        with self.world.chain.state_at(self.world.chain.head) as state:
            for pool in self.pools:
                pool.settle(state)

    def kept(self) -> bytes | None:
        return read_genesis_hash(self.world.chain.storage_at(self.world.chain.head))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Validators]:
    world = ChainWorld(tmp_path, genesis(VALIDATOR))
    yield Validators(world, VALIDATOR)
    world.close()


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines  # type: ignore[misc]  # structlog's lines are mappings


def test_the_call_waits_for_the_next_block_and_makes_the_contract_keep_the_hash(
    one: Validators,
) -> None:
    one.block()
    assert one.look() == [False]
    assert one.waiting() == [1]
    assert [tx.sender for tx in one.network.announced] == [address_of(VALIDATOR)]
    assert one.kept() is None
    one.block(*one.pools)
    assert one.kept() == one.world.chain.domain.genesis_hash
    assert one.look() == [True]


def test_it_is_sent_once_however_long_it_waits(one: Validators) -> None:
    for _ in range(3):
        one.block()
        one.look()
    assert one.waiting() == [1]
    assert len(one.network.announced) == 1


def test_it_does_not_come_between_other_transactions_of_the_account(one: Validators) -> None:
    own = decode_transaction(signed_by(VALIDATOR, 0, to=address_of(STRANGER), gas=21_000))
    with one.world.chain.state_at(one.world.chain.head) as state:
        one.pools[0].add(own, state)
    one.look()
    assert one.network.announced == [own]


def test_a_node_that_catches_up_sends_nothing(one: Validators) -> None:
    one.network.phase = Phase.SYNCING
    one.look()
    assert one.waiting() == [0]


def test_who_is_no_validator_sends_nothing(one: Validators) -> None:
    stranger = Validators(one.world, STRANGER)
    assert stranger.look() == [False]
    assert stranger.waiting() == [0]


def test_a_validator_without_wei_says_so_once(tmp_path: Path, logged: list[dict[str, Any]]) -> None:
    world = ChainWorld(tmp_path, genesis(VALIDATOR, funded=False))
    poor = Validators(world, VALIDATOR)
    poor.look()
    poor.look()
    assert poor.waiting() == [0]
    said = [line for line in logged if line["event"] == "cannot have block 0's hash kept"]
    assert len(said) == 1
    assert "insufficient funds" in said[0]["reason"]
    world.close()


def test_validators_take_turns_of_four_blocks(tmp_path: Path) -> None:
    world = FourWorld(tmp_path, genesis(*KEYS))
    four = Validators(world, *KEYS)
    seen = []
    for _ in range(4 * TURN_BLOCKS):
        four.look()
        seen.append(four.waiting())
        world.propose()
    turns = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert seen == [turn for turn in turns for _ in range(TURN_BLOCKS)]
    four.block(*four.pools)
    assert four.kept() == world.chain.domain.genesis_hash
    assert four.look() == [True] * 4
    world.close()


def test_it_is_given_up_where_nobody_knows_the_hash_any_more(
    one: Validators, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(genesis_record, "LAST_HEIGHT", 2)
    one.block()
    assert one.recorders[0].look() is False
    one.block()
    assert one.recorders[0].look() is True
    assert logged[-1]["event"].startswith("block 0's hash was not kept")


def test_the_duty_ends_with_the_block_that_keeps_the_hash(one: Validators) -> None:
    async def drive() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            running = asyncio.create_task(one.recorders[0].run())
            one.recorders[0].wake()
            await one.network.has_announced.wait()
            one.block(*one.pools)
            one.recorders[0].wake()
            await running

    asyncio.run(drive())
    assert one.kept() is not None
