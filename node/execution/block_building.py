"""A block that is built and shown, and never becomes part of a chain: testing_buildBlockV1."""

from dataclasses import dataclass, replace

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.ethereum_execution import context_of
from consensus.withdrawal import Withdrawal, withdrawals_root
from cvm.evm.execution import BlockExecution, ExecutionRules
from cvm.evm.execution import Withdrawal as Payment
from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from node.execution.execution_chain import CannotCallHere, ExecutionChain
from node.execution.messages import header_of
from node.rpc.faults import ServerError


@dataclass(frozen=True, slots=True)
class PayloadAttributes:
    """What the engine API says of a block to be built; times in seconds."""

    timestamp: int
    prev_randao: bytes
    coinbase: bytes
    withdrawals: tuple[Withdrawal, ...]
    beacon_root: bytes


@dataclass(frozen=True, slots=True)
class BuiltBlock:
    """A block, and what its producer earns of it in wei."""

    block: EthereumBlock
    value: int


@dataclass(frozen=True, slots=True)
class BuildJob:
    """Build a block on a parent from raw transactions.

    With `takes_all` each of them must fit; else those that do not are left out.
    """

    parent_hash: bytes
    attributes: PayloadAttributes
    transactions: tuple[bytes, ...]
    extra_data: bytes
    takes_all: bool

    def run(self, chain: ExecutionChain) -> BuiltBlock:
        """Return the block; raises `ServerError` for a transaction that cannot stand in it."""
        parent, asked = header_of(chain, self.parent_hash), self.attributes
        number = parent.block_number + 1
        successor = chain.successor(parent, number, asked.timestamp)
        rules = successor.rules
        if not isinstance(rules, ExecutionRules):
            raise CannotCallHere(number, rules.name)
        header = BlockHeader(
            parent_hash=parent.hash,
            coinbase=asked.coinbase,
            block_number=number,
            gas_limit=parent.gas_limit,
            timestamp=asked.timestamp,
            extra_data=self.extra_data,
            mix_hash=asked.prev_randao,
            base_fee_per_gas=successor.base_fee,
            withdrawals_root=withdrawals_root(asked.withdrawals)
            if rules.fork.is_shanghai
            else None,
            blob_gas_used=0 if rules.fork.is_cancun else None,
            excess_blob_gas=successor.excess_blob_gas,
            parent_beacon_block_root=asked.beacon_root if rules.fork.is_cancun else None,
        )
        with chain.state_at(parent) as state:
            context = context_of(header, chain.chain_id)
            execution = BlockExecution(rules, state, context, chain.block_hash)
            before = execution.world.account(asked.coinbase).balance
            included = self._include(execution)
            value = execution.world.account(asked.coinbase).balance - before
            paid = [Payment(item.address, item.amount_gwei) for item in asked.withdrawals]
            execution.withdraw(paid)
            executed = execution.finish()
        update = StateCommitter(chain.node).commit(parent.state_root, executed.changes)
        header = replace(
            header,
            state_root=update.root,
            transaction_root=executed.transactions_root,
            receipt_root=executed.receipts_root,
            bloom=executed.bloom,
            gas_used=executed.gas_used,
            blob_gas_used=executed.blob_gas_used if rules.fork.is_cancun else None,
            requests_hash=executed.requests_hash if rules.fork.is_prague else None,
        )
        return BuiltBlock(EthereumBlock(header, included, (), asked.withdrawals), value)

    def _include(self, execution: BlockExecution) -> tuple[Transaction, ...]:
        """Run the transactions; return those that the block takes."""
        included: list[Transaction] = []
        for raw in self.transactions:
            try:
                tx = decode_transaction(raw)
                execution.apply(tx)
            except InvalidTransaction as fault:
                if self.takes_all:
                    raise ServerError(f"transaction {len(included)}: {fault}") from fault
            else:
                included.append(tx)
        return tuple(included)
