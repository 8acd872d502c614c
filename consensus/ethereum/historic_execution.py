"""Runs a block of proof of work: transactions by py-evm's rules, rewards and receipts by ours.

py-evm is imported when the first such block comes: it is the `history` extra, which a node of our
own chain does not need.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.historic_accounts import NO_ACCOUNT, HistoricAccounts
from consensus.ethereum.historic_forks import HistoricFork
from consensus.ethereum.historic_transaction_rules import (
    validate_historic_account,
    validate_historic_transaction,
)
from consensus.faults import InvalidTransactionInBlock
from cvm.evm.block_requests import requests_hash
from cvm.evm.execution import ExecutedBlock
from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader
from cvm.evm.list_root import list_root
from cvm.evm.receipt import Receipt
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.transaction import Transaction
from cvm.faults import LocalFault

if TYPE_CHECKING:
    from consensus.ethereum.py_evm_machine import HistoricResult, PyEvmMachine

MACHINE_MODULE = "consensus.ethereum.py_evm_machine"
PY_EVM = "eth"
OMMER_PARTS = 8  # Yellow Paper (174)
NEPHEW_PARTS = 32  # Yellow Paper (173)
BLOCK_HASHES = 256
DEEP_CALLS = 40_000
"""Python frames for 1,024 nested messages, each of which takes py-evm about twelve."""


class NoHistoricMachine(LocalFault):
    """A block of proof of work came, and py-evm is not installed."""

    def __init__(self, number: int, fork: str) -> None:
        super().__init__(
            f"block {number} follows {fork}: blocks before Paris need "
            "`pip install 'cvm-chain[history]'`"
        )


@dataclass(frozen=True, slots=True)
class HistoricRules:
    """What a chain says of a block of proof of work; `takes_dao` for the block of the DAO fork."""

    fork: HistoricFork
    chain_id: int
    takes_dao: bool = False


class MachineModule(Protocol):
    """What `py_evm_machine` gives."""

    DAO_ACCOUNTS: tuple[bytes, ...]
    DAO_REFUND_CONTRACT: bytes
    PyEvmMachine: "type[PyEvmMachine]"


def execute_historic_block(
    block: EthereumBlock,
    rules: HistoricRules,
    reader: StateReader,
    block_hash: Callable[[int], bytes],
    root_of: Callable[[StateChanges], bytes],
) -> ExecutedBlock:
    """Run every transaction and pay the rewards; raises an `InvalidBlock` or `NoHistoricMachine`.

    `root_of` gives the state root after changes, for the receipts from before Byzantium (EIP-658).
    """
    accounts = HistoricAccounts(reader)
    receipts: list[Receipt] = []
    with deep_calls():
        module = machine_module(block.number, rules.fork)
        if rules.takes_dao:
            move_dao_balances(accounts, module.DAO_ACCOUNTS, module.DAO_REFUND_CONTRACT)
        hashes = hashes_before(block.number, block_hash)
        machine = module.PyEvmMachine(rules.fork, rules.chain_id, block.header, hashes, accounts)
        for index, tx in enumerate(block.transactions):
            gas_used = receipts[-1].cumulative_gas_used if receipts else 0
            try:
                result = run_transaction(tx, rules, accounts, machine, block.header, gas_used)
            except InvalidTransaction as error:
                raise InvalidTransactionInBlock(block.number, index, tx.hash, str(error)) from error
            gas_used += result.gas_used
            root = None if rules.fork.is_byzantium else root_of(accounts.changes())
            status = int(result.is_success)
            receipts.append(Receipt(tx.type_id, status, gas_used, result.logs, root))
    pay_rewards(block, rules.fork, accounts)
    return executed_block(block, accounts.changes(), receipts)


def hashes_before(number: int, block_hash: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the hashes of the last ancestors, the parent's first."""
    for height in range(number - 1, max(number - BLOCK_HASHES, 0) - 1, -1):
        yield block_hash(height)


@contextmanager
def deep_calls() -> Iterator[None]:
    """Let Python nest as deep as py-evm's messages; importing py-evm sets a limit of its own."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEP_CALLS))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def machine_module(number: int, fork: HistoricFork) -> "MachineModule":
    """Import py-evm's side; raises `NoHistoricMachine` where py-evm is not installed."""
    try:
        module: MachineModule = import_module(MACHINE_MODULE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != PY_EVM:
            raise
        raise NoHistoricMachine(number, fork.name) from error
    return module


def run_transaction(
    tx: Transaction,
    rules: HistoricRules,
    accounts: HistoricAccounts,
    machine: "PyEvmMachine",
    header: BlockHeader,
    gas_used: int,
) -> "HistoricResult":
    """Check a transaction and run it; raises an `InvalidTransaction`."""
    gas_left = header.gas_limit - gas_used
    validate_historic_transaction(tx, rules.fork, rules.chain_id, header.base_fee_per_gas, gas_left)
    account = accounts.account(tx.sender) or NO_ACCOUNT
    validate_historic_account(tx, account, accounts.get_code(tx.sender))
    return machine.run(tx)


def move_dao_balances(
    accounts: HistoricAccounts, drained: Iterable[bytes], refund_contract: bytes
) -> None:
    """EIP-779: before its transactions the block of the DAO fork moves the ether of the DAO."""
    for address in drained:
        balance = accounts.get_balance(address)
        accounts.set_balance(refund_contract, accounts.get_balance(refund_contract) + balance)
        if balance:
            accounts.set_balance(address, 0)


def pay_rewards(block: EthereumBlock, fork: HistoricFork, accounts: HistoricAccounts) -> None:
    """Yellow Paper (173) to (175): the miner, and those of the ommers."""
    reward = fork.reward_wei
    pay(accounts, block.header.coinbase, reward + len(block.ommers) * (reward // NEPHEW_PARTS))
    for ommer in block.ommers:
        parts = OMMER_PARTS + ommer.block_number - block.number
        pay(accounts, ommer.coinbase, parts * reward // OMMER_PARTS)


def pay(accounts: HistoricAccounts, address: bytes, wei: int) -> None:
    """Credit an account."""
    accounts.set_balance(address, accounts.get_balance(address) + wei)


def executed_block(
    block: EthereumBlock, changes: StateChanges, receipts: Sequence[Receipt]
) -> ExecutedBlock:
    """Return what the header must show."""
    bloom = 0
    for receipt in receipts:
        bloom |= receipt.bloom
    return ExecutedBlock(
        changes=changes,
        transactions_root=list_root([tx.raw for tx in block.transactions]),
        receipts_root=list_root([receipt.encode() for receipt in receipts]),
        requests_hash=requests_hash([]),
        bloom=bloom,
        gas_used=receipts[-1].cumulative_gas_used if receipts else 0,
        blob_gas_used=0,
        receipts=tuple(receipts),
    )
