"""Blocks of proof of work: what execution must give, and what is refused where it does not."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consensus.ethereum import historic_execution
from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.faults import (
    GasLimitJumps,
    WrongBloom,
    WrongDifficulty,
    WrongGasUsed,
    WrongReceiptsRoot,
    WrongStateRoot,
    WrongTransactionsRoot,
)
from consensus.ethereum.historic_execution import (
    HistoricRules,
    NoHistoricMachine,
    execute_historic_block,
)
from consensus.ethereum.historic_forks import (
    BYZANTIUM,
    CONSTANTINOPLE,
    FRONTIER,
    HOMESTEAD,
    LONDON,
    SPURIOUS_DRAGON,
    HistoricFork,
)
from consensus.faults import InvalidBlock, InvalidTransactionInBlock
from cvm.evm.keccak import keccak256
from cvm.evm.receipt import Receipt
from cvm.evm.signatures import address_of_key
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from tests.conformance.memory_states import MemoryStore
from tests.unit.consensus.ethereum.historic_world import (
    CHAIN_ID,
    KEY,
    MINER,
    HistoricWorld,
    child_of,
    receipts_root,
    transfer,
)

SENDER = address_of_key(KEY)
TO = b"\xcc" * 20
CONTRACT = b"\xdd" * 20
ETHER = 10**18
GAS = 21_000
OTHER = b"\1" * 32
AFTER = {
    SENDER: Account(nonce=1, balance=ETHER - 5 - GAS),
    TO: Account(balance=5),
    MINER: Account(balance=GAS),
}
"""What a transfer of 5 wei leaves before the reward."""


def world_of(fork: HistoricFork) -> HistoricWorld:
    return HistoricWorld(fork, {SENDER: Account(balance=ETHER)})


def transfer_block(world: HistoricWorld, **changed: Any) -> EthereumBlock:
    """Return a block with a transfer of 5 wei that shows what it must, but for some fields."""
    miner = Account(balance=GAS + world.fork.reward_wei)
    root = None if world.fork.is_byzantium else world.root_with(AFTER)
    fields: dict[str, Any] = {
        "state_root": world.root_with({**AFTER, MINER: miner}),
        "receipt_root": receipts_root([Receipt(0, 1, GAS, (), root)]),
        "gas_used": GAS,
    }
    return world.block([transfer(TO, 5)], **(fields | changed))


@pytest.mark.parametrize(
    "fork", [FRONTIER, HOMESTEAD, SPURIOUS_DRAGON, BYZANTIUM, CONSTANTINOPLE], ids=lambda f: f.name
)
def test_a_transfer_is_run_and_the_miner_is_paid(fork: HistoricFork) -> None:
    world = world_of(fork)
    block = transfer_block(world)
    world.chain.import_decoded(block)
    assert world.chain.head.hash == block.hash


def test_london_burns_the_base_fee() -> None:
    world = HistoricWorld(LONDON, {SENDER: Account(balance=ETHER)})
    base_fee, tip = 875_000_000, 3
    tx = transfer(TO, 5, type_id=2, chain_id=1, max_fee_per_gas=ETHER // GAS - 1,
                  max_priority_fee_per_gas=tip)  # fmt: skip
    after = {
        SENDER: Account(nonce=1, balance=ETHER - 5 - GAS * (base_fee + tip)),
        TO: Account(balance=5),
        MINER: Account(balance=GAS * tip + 2 * ETHER),
    }
    block = world.block(
        [tx],
        base_fee_per_gas=base_fee,
        state_root=world.root_with(after),
        receipt_root=receipts_root([Receipt(2, 1, GAS)]),
        gas_used=GAS,
    )
    world.chain.import_decoded(block)
    assert world.chain.head.hash == block.hash


@pytest.mark.parametrize(
    ("changed", "fault", "words"),
    [
        pytest.param(
            {"difficulty": 131_071},
            WrongDifficulty,
            "block 1: difficulty is 131071, must be 131072",
            id="difficulty",
        ),
        pytest.param(
            {"gas_limit": 9_000_000},
            GasLimitJumps,
            "block 1: gas limit 9000000 is too far from the parent's 8000000",
            id="gas-limit",
        ),
        pytest.param(
            {"state_root": OTHER}, WrongStateRoot, "block 1: stateRoot of the", id="state-root"
        ),
        pytest.param(
            {"coinbase": TO}, WrongReceiptsRoot, "block 1: receiptsRoot of the", id="other-miner"
        ),
        pytest.param(
            {"receipt_root": OTHER}, WrongReceiptsRoot, "the header says 0x0101", id="receipts-root"
        ),
        pytest.param({"gas_used": 1}, WrongGasUsed, "is 21000, the header says 1", id="gas-used"),
        pytest.param({"bloom": 1}, WrongBloom, "is 0, the header says 1", id="bloom"),
        pytest.param(
            {"transaction_root": OTHER}, WrongTransactionsRoot, "the header says 0x0101", id="txs"
        ),
    ],
)
def test_a_header_that_execution_does_not_give_is_refused(
    changed: dict[str, Any], fault: type[InvalidBlock], words: str
) -> None:
    world = world_of(HOMESTEAD)
    with pytest.raises(fault, match=words):
        world.chain.import_decoded(transfer_block(world, **changed))
    world.chain.import_decoded(transfer_block(world))


def test_a_block_that_pays_another_reward_is_refused() -> None:
    world = world_of(CONSTANTINOPLE)
    miner = Account(balance=GAS + 3 * ETHER)
    block = transfer_block(world, state_root=world.root_with({**AFTER, MINER: miner}))
    with pytest.raises(WrongStateRoot, match="block 1: stateRoot of the execution is 0x"):
        world.chain.import_decoded(block)


def test_an_invalid_transaction_is_refused_with_its_place() -> None:
    world = world_of(HOMESTEAD)
    block = world.block([transfer(TO, 5), transfer(TO, 5)])
    with pytest.raises(InvalidTransactionInBlock, match=r"transaction 1 .*: nonce too low"):
        world.chain.import_decoded(block)


def test_spurious_dragon_clears_an_empty_account_that_is_touched() -> None:
    accounts = {SENDER: Account(balance=ETHER), TO: Account()}
    world = HistoricWorld(SPURIOUS_DRAGON, accounts)
    sender = Account(nonce=1, balance=ETHER - GAS)
    del world.accounts[TO]
    root = world.root_with({SENDER: sender, MINER: Account(balance=GAS)})
    end = world.root_with({SENDER: sender, MINER: Account(balance=GAS + 5 * ETHER)})
    receipts = receipts_root([Receipt(0, 1, GAS, (), root)])
    block = world.block([transfer(TO, 0)], state_root=end, receipt_root=receipts, gas_used=GAS)
    world.chain.import_decoded(block)
    assert world.chain.head.hash == block.hash


def changes_after(
    fork: HistoricFork,
    code: bytes,
    data: bytes = b"",
    block_hash: Callable[[int], bytes] = lambda number: bytes(31) + bytes((number,)),
) -> StateChanges:
    """Run a call of some code in block 300 and return what it leaves."""
    made = {SENDER: Account(), CONTRACT: Account(0, 0, EMPTY_TRIE_ROOT, keccak256(code))}
    store = MemoryStore()
    listed = StateChanges(dict(made), {}, frozenset(), {keccak256(code): code})
    genesis = replace(HistoricWorld(fork).chain.head, block_number=299)
    root = store.start(genesis, listed)
    tx = transfer(CONTRACT, 0, gas=8_000_000, max_fee_per_gas=0, data=data)
    block = EthereumBlock(child_of(genesis, fork), (tx,))
    with store.reader(root) as reader:
        rules = HistoricRules(fork, CHAIN_ID)
        done = execute_historic_block(block, rules, reader, block_hash, lambda _changes: OTHER)
    return done.changes


def test_calls_nest_1024_deep_and_python_s_limit_is_as_before() -> None:
    # slot 0 counts; then the contract calls itself with all its gas but 200
    code = bytes.fromhex("600054600101600055600060006000600060003060c85a03f100")
    before = sys.getrecursionlimit()
    changes = changes_after(HOMESTEAD, code)
    assert changes.storage == {CONTRACT: {0: 1_025}}
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize(
    ("number", "found"),
    [
        pytest.param(299, 299 % 256, id="the-parent"),
        pytest.param(44, 44, id="the-oldest"),
        pytest.param(43, 0, id="too-old"),
        pytest.param(300, 0, id="this-block"),
    ],
)
def test_blockhash_reaches_256_blocks(number: int, found: int) -> None:
    code = bytes.fromhex(f"61{number:04x}40600055")
    changes = changes_after(HOMESTEAD, code, block_hash=lambda n: bytes(31) + bytes((n % 256,)))
    assert changes.storage.get(CONTRACT, {}).get(0, 0) == found


def test_modexp_of_0_to_the_0_is_1() -> None:
    # MODEXP of an empty base and an empty exponent by the modulus 5, EIP-198
    code = bytes.fromhex("600160405260056060536020608060616000600060055af150608051600055")
    changes = changes_after(BYZANTIUM, code)
    assert changes.storage == {CONTRACT: {0: 1 << 248}}


def test_the_dao_fork_moves_the_ether_of_the_dao() -> None:
    drained = bytes.fromhex("d4fe7bc31cedb7bfb8a345f31e668033056b2728")
    refund = bytes.fromhex("bf4ed7b27f1d666546e30d74d50d173d20bca754")
    world = HistoricWorld(HOMESTEAD, {drained: Account(balance=7)}, dao_block=1)
    after = {
        drained: Account(),
        refund: Account(balance=7),
        MINER: Account(balance=5 * ETHER),
    }
    block = world.block(extra_data=b"dao-hard-fork", state_root=world.root_with(after))
    world.chain.import_decoded(block)
    assert world.chain.head.hash == block.hash


@pytest.fixture
def _without_py_evm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let py-evm be missing, as where the extra is not installed."""

    def missing(_name: str) -> object:
        raise ModuleNotFoundError("No module named 'eth'", name="eth")

    monkeypatch.setattr(historic_execution, "import_module", missing)


@pytest.mark.usefixtures("_without_py_evm")
def test_a_node_without_py_evm_says_what_to_install_and_judges_nobody() -> None:
    world = world_of(CONSTANTINOPLE)
    words = r"block 1 follows Constantinople: .* `pip install 'cvm-chain\[history\]'`"
    with pytest.raises(NoHistoricMachine, match=words):
        world.chain.import_decoded(transfer_block(world))
    assert world.chain.head.block_number == 0


def test_a_missing_module_of_another_name_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> object:
        raise ModuleNotFoundError("No module named 'zlib'", name="zlib")

    monkeypatch.setattr(historic_execution, "import_module", missing)
    world = world_of(HOMESTEAD)
    with pytest.raises(ModuleNotFoundError, match="zlib"):
        world.chain.import_decoded(transfer_block(world))
