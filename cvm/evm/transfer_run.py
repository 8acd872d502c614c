"""Runs transactions that only move wei without an interpreter: many in one compiled call.

Such transactions follow each other in most blocks. What is not plain (code, data, access lists,
delegations, precompiles, a rule that may be broken) is left where it stands for
`transaction_execution`, which is the definition.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from struct import Struct

import numpy as np

from cvm.evm.faults import InvalidSignature
from cvm.evm.live_account import LiveAccount
from cvm.evm.machine_limits import MAX_GAS_LIMIT, WORD_BYTES
from cvm.evm.native.machine_memory import address_of
from cvm.evm.native.transfers import IS_CHANGED, IS_PLAIN, TRANSFER_BYTES, run_transfers
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.transaction import DYNAMIC_FEE, Transaction
from cvm.evm.world_state import WorldState

FEWEST = 8
"""Fewer transfers are run as every transaction is: a compiled call has its own cost."""

MAX_WORD = 2**256 - 1
TRANSFER = Struct("<QQqq32s32s32s")
ACCOUNT = Struct("<QQ32s")


@dataclass(frozen=True, slots=True)
class TransferRules:
    """What a block says of its transfers; `reserved` addresses run something without code."""

    chain_id: int
    base_fee: int
    coinbase: bytes
    max_tx_gas: int
    reserved: Collection[bytes]

    def is_plain(self, tx: Transaction) -> bool:
        """Tell whether a transaction moves wei and does nothing else, if its target has no code."""
        return (
            not tx.data
            and tx.to != b""
            and tx.type_id <= DYNAMIC_FEE
            and not tx.access_list
            and tx.gas <= self.max_tx_gas
            and (tx.chain_id == self.chain_id or tx.chain_id is None)
            and tx.to not in self.reserved
        )


class TransferRuns:
    """The runs of transfers of one block."""

    def __init__(self, world: WorldState, rules: TransferRules) -> None:
        self._world = world
        self._rules = rules
        self._resume_at = 0

    def run(self, transactions: Sequence[Transaction], first: int, gas_left: int) -> int:
        """Run transfers that keep every rule, from the first place on; return how many.

        What a run read in vain, the next ones skip, so that a block is read twice at the most.
        """
        if first < self._resume_at:
            return 0
        transfers = list(takewhile(self._rules.is_plain, islice(transactions, first, None)))
        if len(transfers) < FEWEST:
            self._resume_at = first + len(transfers) + 1
            return 0
        batch = TransferBatch(self._world, self._rules.coinbase)
        done = batch.run(transfers, self._rules.base_fee, min(gas_left, MAX_GAS_LIMIT))
        self._resume_at = first + len(transfers)
        return done


class TransferBatch:
    """Consecutive transfers, and the accounts that they touch, as compiled code has them."""

    def __init__(self, world: WorldState, coinbase: bytes) -> None:
        self._world = world
        self._places: dict[bytes, int] = {}
        self._accounts: list[LiveAccount] = []
        self._coinbase = self._place(coinbase)

    def run(self, transfers: Sequence[Transaction], base_fee: int, gas_left: int) -> int:
        """Run as many of the first ones as compiled code can; return how many."""
        records = b"".join(self._records(transfers))
        if max(account.balance for account in self._accounts) > MAX_WORD:
            return 0
        accounts = bytearray().join([self._record(account) for account in self._accounts])
        fee = base_fee.to_bytes(WORD_BYTES, "little")
        buffers = [np.frombuffer(buffer, np.uint8) for buffer in (records, accounts, fee)]
        transfers_at, accounts_at, fee_at = map(address_of, buffers)
        count = len(records) // TRANSFER_BYTES
        done = run_transfers(transfers_at, count, accounts_at, self._coinbase, fee_at, gas_left)
        self._keep(accounts)
        self._world.transaction += done
        return done

    def _place(self, address: bytes) -> int:
        """Return an account's place in the list, where it is put when first asked for."""
        place = self._places.get(address)
        if place is None:
            place = self._places[address] = len(self._accounts)
            self._accounts.append(self._world.account(address))
        return place

    def _records(self, transfers: Sequence[Transaction]) -> Iterator[bytes]:
        """Yield the record of each transfer, up to one whose signature has no sender."""
        for tx in transfers:
            try:
                sender = self._place(tx.sender)
            except InvalidSignature:
                return
            yield TRANSFER.pack(
                tx.nonce,
                tx.gas,
                sender,
                self._place(tx.to),
                tx.max_fee_per_gas.to_bytes(WORD_BYTES, "little"),
                tx.max_priority_fee_per_gas.to_bytes(WORD_BYTES, "little"),
                tx.value.to_bytes(WORD_BYTES, "little"),
            )

    @staticmethod
    def _record(account: LiveAccount) -> bytes:
        """Return an account as compiled code has it."""
        flags = IS_PLAIN if account.code_hash == EMPTY_CODE_HASH else 0
        return ACCOUNT.pack(account.nonce, flags, account.balance.to_bytes(WORD_BYTES, "little"))

    def _keep(self, records: bytearray) -> None:
        """Give every account that changed its nonce and balance."""
        parts = ACCOUNT.iter_unpack(records)
        for account, (nonce, flags, balance) in zip(self._accounts, parts, strict=True):
            if flags & IS_CHANGED:
                account.nonce = nonce
                self._world.put_balance(account, int.from_bytes(balance, "little"))
                account.exists = True
