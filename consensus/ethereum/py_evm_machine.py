"""Runs one transaction of proof of work by py-evm's rules; imported only where a block needs it.

py-evm 0.12.1b1 (github.com/ethereum/py-evm) has the opcodes, prices and precompiles of every
fork from Frontier on. Its tables are read, never written to.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from eth.vm import forks as machines
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.homestead.headers import dao_drain_list, dao_refund_contract
from eth_utils.exceptions import ValidationError

from consensus.ethereum.historic_accounts import HistoricAccounts
from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.header import BlockHeader
from cvm.evm.log import Log
from cvm.evm.precompiles.modexp import run as right_modexp
from cvm.evm.transaction import Transaction
from cvm.faults import LocalFault

MODEXP = (5).to_bytes(20, "big")
DAO_REFUND_CONTRACT = bytes(dao_refund_contract)
DAO_ACCOUNTS = tuple(bytes.fromhex(text[2:]) for text in dao_drain_list)
"""EIP-779: whose ether goes to the refund contract."""


class MachineRefuses(LocalFault):
    """py-evm refuses a transaction that keeps our rules: nobody is judged by that."""

    def __init__(self, tx_hash: bytes, reason: str) -> None:
        super().__init__(f"py-evm refuses transaction 0x{tx_hash.hex()}: {reason}")


@dataclass(frozen=True, slots=True)
class HistoricResult:
    """What a transaction did."""

    gas_used: int
    is_success: bool
    logs: tuple[Log, ...]
    output: bytes = b""
    error: str | None = None


class PyEvmMachine:
    """One block's machine; `block_hashes` begins with the parent's and goes back.

    `watched` makes of the class that runs messages one that reports what they do.
    """

    def __init__(
        self,
        fork: HistoricFork,
        chain_id: int,
        header: BlockHeader,
        block_hashes: Iterable[bytes],
        accounts: HistoricAccounts,
        watched: Callable[[Any], Any] | None = None,
    ) -> None:
        self._vm: Any = getattr(machines, fork.machine)  # its classes are untyped where used
        context = ExecutionContext(
            coinbase=header.coinbase,  # type: ignore[arg-type]
            timestamp=header.timestamp,
            block_number=header.block_number,  # type: ignore[arg-type]
            difficulty=header.difficulty,
            mix_hash=header.mix_hash,  # type: ignore[arg-type]
            gas_limit=header.gas_limit,
            prev_hashes=block_hashes,  # type: ignore[arg-type]
            chain_id=chain_id,
            base_fee_per_gas=header.base_fee_per_gas,
        )
        base = self._vm.get_state_class()
        computation_class = with_right_modexp(base.computation_class)
        state_class = base.configure(
            account_db_class=given_accounts,
            computation_class=watched(computation_class) if watched else computation_class,
        )
        self._state: Any = state_class(accounts, context, header.state_root)
        self._accounts = accounts

    def run(self, tx: Transaction) -> HistoricResult:
        """Run a transaction whose validity has been checked; raises `MachineRefuses`."""
        self._accounts.lock_changes()
        decoded = self._vm.get_transaction_builder().decode(tx.raw)
        try:
            computation = self._state.apply_transaction(decoded)
        except ValidationError as error:
            raise MachineRefuses(tx.hash, str(error)) from error
        logs = tuple(
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
            for address, topics, data in computation.get_log_entries()
        )
        gas_used = self._vm.finalize_gas_used(decoded, computation)
        is_success = not computation.is_error
        halt = None if is_success else type(computation.error).__name__
        return HistoricResult(gas_used, is_success, logs, bytes(computation.output), halt)


def given_accounts(accounts: HistoricAccounts, _state_root: bytes) -> HistoricAccounts:
    """Return the accounts that a machine was given in the place of a database."""
    return accounts


def with_right_modexp(base: Any) -> Any:
    """Return a computation class whose MODEXP, where the fork has one, gives our result.

    py-evm answers 0 for a base of no bytes, also where the exponent is 0 and EIP-198 says 1.
    """
    priced = base.get_precompiles().get(MODEXP)
    if priced is None:
        return base

    def modexp(computation: Any) -> Any:
        priced(computation)
        computation.output = right_modexp(bytes(computation.msg.data))
        return computation

    return base.configure(_precompiles={**base.get_precompiles(), MODEXP: modexp})
