"""The rules that a transaction keeps to come into the pool, one function each.

They follow go-ethereum's core/txpool/validation.go and core/txpool/legacypool/legacypool.go.
"""

from collections.abc import Mapping, Sequence

from cvm.evm.faults import NonceAtMaximum
from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account, StateReader
from cvm.evm.transaction import BLOB, SET_CODE, Transaction
from cvm.evm.transaction_rules import (
    ChainRules,
    most_spent,
    validate_sender_is_eoa,
    validate_stateless,
)
from node.pool.account_lists import AccountLists
from node.pool.authorities import AuthorityIndex
from node.pool.faults import (
    AuthorityReserved,
    GappedFromDelegated,
    InflightLimitReached,
    NonceUsed,
    NotPayable,
    NotPayableTogether,
    OverBlockGasLimit,
    ReplacementUnderpriced,
    TransactionTooLarge,
    TypeNotPooled,
    UnprotectedTransaction,
)
from node.pool.limits import MAX_TX_BYTES, PoolHead

FIRST_LIST_BYTE = 0xC0
"""Legacy transactions begin with an RLP list, later ones with their type (EIP-2718)."""


def validate_raw(raw_transaction: bytes) -> None:
    """Refuse blobs, unknown types and more bytes than the pool keeps, before they are decoded."""
    first = raw_transaction[0] if raw_transaction else FIRST_LIST_BYTE
    if first == BLOB or SET_CODE < first < FIRST_LIST_BYTE:
        raise TypeNotPooled(first)
    if len(raw_transaction) > MAX_TX_BYTES:
        raise TransactionTooLarge(len(raw_transaction), MAX_TX_BYTES)


def validate_form(tx: Transaction, rules: ChainRules, head: PoolHead) -> None:
    """Check what needs no account: size, type, chain, fees, gas."""
    validate_raw(tx.raw)
    if tx.chain_id is None:
        raise UnprotectedTransaction
    validate_stateless(tx, rules)
    if tx.gas > head.gas_limit:
        raise OverBlockGasLimit(tx.gas, head.gas_limit)


def validate_sender(tx: Transaction, account: Account, state: StateReader) -> None:
    """Check the sender alone: a nonce that is not used up, no code, funds for this one."""
    if tx.nonce >= MAX_NONCE:
        raise NonceAtMaximum(tx.nonce)
    if tx.nonce < account.nonce:
        raise NonceUsed(tx.nonce, account.nonce)
    if account.code_hash != EMPTY_CODE_HASH:
        validate_sender_is_eoa(tx, state.code(account.code_hash))
    if account.balance < most_spent(tx):
        raise NotPayable(account.balance, most_spent(tx))


def validate_replacement(tx: Transaction, replaced: Transaction, bump_percent: int) -> None:
    """Demand more of both fee cap and tip than what is replaced, by so many percent at least.

    The share is rounded down, and the price has to rise (go-ethereum's `list.Add`).
    """
    for name, offered, before in (
        ("maxFeePerGas", tx.max_fee_per_gas, replaced.max_fee_per_gas),
        (
            "maxPriorityFeePerGas",
            tx.max_priority_fee_per_gas,
            replaced.max_priority_fee_per_gas,
        ),
    ):
        needed = max(before * (100 + bump_percent) // 100, before + 1)
        if offered < needed:
            raise ReplacementUnderpriced(name, offered, needed)


def validate_overdraft(tx: Transaction, lists: AccountLists) -> None:
    """Demand a balance for all that is pending of the sender, with the new one."""
    replaced = lists.pending.get(tx.nonce)
    more = most_spent(tx) - (0 if replaced is None else most_spent(replaced))
    if lists.balance < lists.pending_cost + more:
        raise NotPayableTogether(
            lists.balance, lists.pending_cost, more, is_replacement=replaced is not None
        )


def validate_delegation(
    tx: Transaction, account: Account, lists: AccountLists, delegated: AuthorityIndex
) -> None:
    """One transaction at a time of an account that is delegated, or about to be (EIP-7702).

    Whoever holds the delegated code can empty the account, and many transactions with it.
    """
    if account.code_hash == EMPTY_CODE_HASH and lists.address not in delegated:
        return
    if tx.nonce in lists.pending:
        return
    if lists.pending:
        raise InflightLimitReached
    if tx.nonce != lists.next_nonce:
        raise GappedFromDelegated


def validate_authorities(
    authorities: Sequence[bytes], accounts: Mapping[bytes, AccountLists]
) -> None:
    """Let nobody be delegated who has more than one transaction here: the mirror of that rule."""
    for authority in authorities:
        lists = accounts.get(authority)
        if lists is not None and len(lists.pending) + len(lists.queued) > 1:
            raise AuthorityReserved(authority)
