"""A block of proof of work that runs once more, by py-evm's rules, watched where that is wanted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_execution import context_of
from consensus.ethereum.historic_accounts import HistoricAccounts
from consensus.ethereum.historic_execution import (
    HistoricRules,
    NoHistoricMachine,
    deep_calls,
    hashes_before,
    machine_module,
    move_dao_balances,
    run_transaction,
)
from consensus.ethereum.historic_forks import FRONTIER
from cvm.evm.execution import BlockContext, TransactionResult
from cvm.evm.header import BlockHeader
from cvm.evm.live_account import LiveAccount
from cvm.evm.receipt import Receipt
from cvm.evm.state_reader import StateReader
from cvm.evm.tracer import Tracer
from cvm.evm.transaction import Transaction
from node.execution.execution_chain import CannotCallHere

if TYPE_CHECKING:
    from consensus.ethereum.py_evm_machine import PyEvmMachine


WATCHING_MODULE = "consensus.ethereum.watched_py_evm"


class Watching(Protocol):
    """What `watched_py_evm` gives; it needs py-evm, the `history` extra."""

    def watched_by(
        self, tracer: Tracer, world: object
    ) -> Callable[["type[object]"], "type[object]"]:
        """Return what makes of a computation class one that a tracer watches."""


class HistoricWorld:
    """What a tracer reads of a `WorldState`, over the accounts of a block of proof of work."""

    refund = 0
    """Refunds so far: py-evm sums them up after the transaction only."""

    def __init__(self, accounts: HistoricAccounts) -> None:
        self._accounts = accounts

    def account(self, address: bytes) -> LiveAccount:
        """Return an account; one that is not there has no nonce, balance or code."""
        return LiveAccount(address, 0, self._accounts.account(address))

    def code_of(self, account: LiveAccount) -> bytes:
        """Return the code of an account."""
        return self._accounts.get_code(account.address)

    def storage(self, account: LiveAccount, key: int) -> int:
        """Return a word of storage."""
        return self._accounts.get_storage(account.address, key)

    def code_at(self, address: bytes) -> bytes:
        """Return the code of an account."""
        return self._accounts.get_code(address)

    def storage_at(self, address: bytes, slot: int) -> int:
        """Return a word of storage."""
        return self._accounts.get_storage(address, slot)


class HistoricReplay:
    """See `execution_chain.Replay`; the context's base fee is 0 before London."""

    def __init__(
        self,
        block: EthereumBlock,
        rules: HistoricRules,
        accounts: HistoricAccounts,
        make_machine: "Callable[[BlockHeader, Tracer | None], PyEvmMachine]",
    ) -> None:
        self.context: BlockContext = context_of(block.header, rules.chain_id)
        self.transactions = block.transactions
        self.world = HistoricWorld(accounts)
        self._header = block.header
        self._rules = rules
        self._accounts = accounts
        self._make_machine = make_machine
        self._gas_used = 0

    def state(self) -> StateReader:
        """Refuse: messages do not run here."""
        raise CannotCallHere(self._header.block_number, self._rules.fork.name)

    def apply(self, tx: Transaction, tracer: Tracer | None = None) -> TransactionResult:
        """Run the next transaction, watched by a tracer if there is one."""
        machine = self._make_machine(self._header, tracer)
        done = run_transaction(
            tx, self._rules, self._accounts, machine, self._header, self._gas_used
        )
        self._gas_used += done.gas_used
        receipt = Receipt(tx.type_id, int(done.is_success), self._gas_used, done.logs)
        return TransactionResult(receipt, done.gas_used, done.output, done.error)


def load_history() -> None:
    """Import py-evm where it is installed, so that no job's time goes into that."""
    with suppress(NoHistoricMachine):
        machine_module(0, FRONTIER)
        import_module(WATCHING_MODULE)


@contextmanager
def start_historic_replay(
    block: EthereumBlock,
    rules: HistoricRules,
    state: StateReader,
    block_hash: Callable[[int], bytes],
) -> Iterator[HistoricReplay]:
    """Do what comes before the transactions of a block; raises `NoHistoricMachine`."""
    module = machine_module(block.number, rules.fork)
    accounts = HistoricAccounts(state)
    if rules.takes_dao:
        move_dao_balances(accounts, module.DAO_ACCOUNTS, module.DAO_REFUND_CONTRACT)
    world = HistoricWorld(accounts)

    def make_machine(header: BlockHeader, tracer: Tracer | None) -> "PyEvmMachine":
        hashes = hashes_before(block.number, block_hash)
        if tracer is None:
            return module.PyEvmMachine(rules.fork, rules.chain_id, header, hashes, accounts)
        watching: Watching = import_module(WATCHING_MODULE)
        watched = watching.watched_by(tracer, world)
        return module.PyEvmMachine(rules.fork, rules.chain_id, header, hashes, accounts, watched)

    with deep_calls():
        yield HistoricReplay(block, rules, accounts, make_machine)
