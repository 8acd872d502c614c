"""Machines of eth_call that are kept: for which block, how long, and what they hold open."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cvm.evm.header import BlockHeader
from cvm.evm.message_call import CallSetting, SimulatedTransaction
from cvm.evm.state_reader import Account, StateReader
from cvm.faults import LocalFault
from node.execution.execution_chain import UnknownBlock
from node.execution.kept_machines import MAX_GAS, MAX_KEPT, KeptMachines, LateState
from node.execution.own_chain import OwnExecutionChain
from tests.chain_world import STRANGER, USER, ChainWorld, address_of, genesis_document

GENESIS = json.dumps(genesis_document()).encode()
BALANCE = bytes.fromhex("33315f5260205ff3")
BURN = bytes.fromhex("5b5f56")


class CountedChain:
    """Counts what is opened, and what is open."""

    def __init__(self, chain: OwnExecutionChain) -> None:
        self._chain = chain
        self.settings = 0
        self.states = 0
        self.open_now = 0

    def header(self, block_hash: bytes) -> BlockHeader | None:
        return self._chain.header(block_hash)

    @contextmanager
    def state_at(self, header: BlockHeader) -> Iterator[StateReader]:
        self.states += 1
        self.open_now += 1
        with self._chain.state_at(header) as state:
            yield state
        self.open_now -= 1

    @contextmanager
    def setting(self, header: BlockHeader, *, free_gas: bool) -> Iterator[CallSetting]:
        self.settings += 1
        with self._chain.setting(header, free_gas=free_gas) as setting:
            yield setting


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path_factory.mktemp("machines"), GENESIS)
    for _ in range(MAX_KEPT + 1):
        world.propose()
    yield world
    world.close()


@pytest.fixture
def chain(world: ChainWorld) -> CountedChain:
    own = OwnExecutionChain(world.database, world.chain.parameters, world.chain.host)
    return CountedChain(own)


def message(code: bytes = BALANCE, gas: int = 1_000_000) -> SimulatedTransaction:
    return SimulatedTransaction(address_of(USER), b"", gas, 0, 0, code)


def balance_in(chain: CountedChain, kept: KeptMachines, block_hash: bytes) -> int:
    with kept.open(block_hash, free_gas=True) as messages:
        return int.from_bytes(messages.run(message()).output, "big")


def test_calls_on_one_block_share_a_machine_that_reads_the_state_once(
    world: ChainWorld, chain: CountedChain
) -> None:
    kept, head = KeptMachines(chain), world.chain.head
    found = {balance_in(chain, kept, head.hash) for _ in range(3)}
    with world.chain.state_at(head) as state:
        account = state.account(address_of(USER))
    assert account is not None
    assert found == {account.balance}
    assert (chain.settings, chain.states, chain.open_now) == (1, 1, 0)


def test_each_block_is_answered_from_its_own_state(world: ChainWorld, chain: CountedChain) -> None:
    kept, head = KeptMachines(chain), world.chain.head
    later = world.send(address_of(STRANGER), b"", value=5).block.header
    found = [balance_in(chain, kept, header.hash) for header in (head, later, head)]
    expected = []
    for header in (head, later, head):
        with world.chain.state_at(header) as state:
            expected.append((state.account(address_of(USER)) or Account()).balance)
    assert found == expected
    assert found[0] > found[1]


def test_calls_with_and_without_a_price_see_their_own_base_fee(
    world: ChainWorld, chain: CountedChain
) -> None:
    kept, head = KeptMachines(chain), world.chain.head
    code = bytes.fromhex("485f5260205ff3")
    found = []
    for free_gas in (True, False, True):
        price = 0 if free_gas else head.base_fee_per_gas
        with kept.open(head.hash, free_gas=free_gas) as messages:
            tx = replace(message(code), gas_price=price or 0)
            found.append(int.from_bytes(messages.run(tx).output, "big"))
    assert found == [0, head.base_fee_per_gas, 0]


def test_the_oldest_machine_goes_when_there_are_too_many(
    world: ChainWorld, chain: CountedChain
) -> None:
    kept = KeptMachines(chain)
    headers = [world.chain.header_at(number) for number in range(MAX_KEPT + 1)]
    hashes = [header.hash for header in headers if header is not None]
    for block_hash in (*hashes, hashes[-1], hashes[0]):
        balance_in(chain, kept, block_hash)
    assert chain.settings == MAX_KEPT + 2


def test_a_machine_that_has_done_much_is_made_anew(world: ChainWorld, chain: CountedChain) -> None:
    kept, head = KeptMachines(chain), world.chain.head
    with kept.open(head.hash, free_gas=True) as messages:
        result = messages.run(message(BURN, gas=MAX_GAS))
    assert result.gas_used == MAX_GAS
    balance_in(chain, kept, head.hash)
    assert chain.settings == 2


def test_a_machine_that_raised_is_not_kept(world: ChainWorld, chain: CountedChain) -> None:
    kept, head = KeptMachines(chain), world.chain.head
    with pytest.raises(LocalFault, match="broken"), kept.open(head.hash, free_gas=True):
        raise LocalFault("broken")
    balance_in(chain, kept, head.hash)
    assert chain.settings == 2


def test_a_block_that_is_not_here_is_named(chain: CountedChain) -> None:
    with pytest.raises(UnknownBlock), KeptMachines(chain).open(bytes(32), free_gas=True):
        pass


def test_a_late_state_opens_again_after_it_was_closed(
    world: ChainWorld, chain: CountedChain
) -> None:
    state = LateState(lambda: chain.state_at(world.chain.head))
    assert chain.states == 0
    for opened in (1, 2):
        assert state.account(address_of(USER)) is not None
        assert state.storage(address_of(USER), 0) == 0
        assert (chain.states, chain.open_now) == (opened, 1)
        state.close()
    assert chain.open_now == 0
