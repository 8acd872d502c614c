"""Why the pool does not take a transaction that a block might: in the words of go-ethereum."""

from cvm.evm.faults import InvalidTransaction


class AlreadyKnown(InvalidTransaction):
    """The very same transaction waits already."""

    def __init__(self) -> None:
        super().__init__("already known")


class NonceUsed(InvalidTransaction):
    """A block has a transaction of the sender with this nonce already."""

    def __init__(self, nonce: int, next_nonce: int) -> None:
        super().__init__(f"nonce too low: next nonce {next_nonce}, tx nonce {nonce}")


class NotPayable(InvalidTransaction):
    """The balance does not cover the transaction alone."""

    def __init__(self, balance: int, cost: int) -> None:
        super().__init__(
            f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, "
            f"overshot {cost - balance}"
        )


class NotPayableTogether(InvalidTransaction):
    """The balance does not cover the transaction with all that is pending of the sender."""

    def __init__(self, balance: int, pending: int, more: int, *, is_replacement: bool) -> None:
        what = "tx bumped" if is_replacement else "tx cost"
        super().__init__(
            f"insufficient funds for gas * price + value: balance {balance}, "
            f"queued cost {pending}, {what} {more}, overshot {pending + more - balance}"
        )


class TypeNotPooled(InvalidTransaction):
    """Blob transactions are not carried, nor are types that do not exist."""

    def __init__(self, type_id: int) -> None:
        super().__init__(f"transaction type not supported: received type {type_id}")


class TransactionTooLarge(InvalidTransaction):
    """The transaction is over the pool's size limit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"oversized data: transaction size {size}, limit {limit}")


class UnprotectedTransaction(InvalidTransaction):
    """A legacy transaction without EIP-155 could be replayed on this chain from another."""

    def __init__(self) -> None:
        super().__init__("only replay-protected (EIP-155) transactions allowed over RPC")


class OverBlockGasLimit(InvalidTransaction):
    """No block has so much gas."""

    def __init__(self, gas: int, limit: int) -> None:
        super().__init__(f"exceeds block gas limit: gas {gas}, limit {limit}")


class ReplacementUnderpriced(InvalidTransaction):
    """A transaction with this nonce waits, and the new one does not pay enough more."""

    def __init__(self, name: str, offered: int, needed: int) -> None:
        super().__init__(f"replacement transaction underpriced: {name} {offered}, needed {needed}")


class Underpriced(InvalidTransaction):
    """The pool is full of transactions that pay as much or more."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"transaction underpriced: {limit} slots are taken by better ones")


class PoolFull(InvalidTransaction):
    """There is no room that this transaction may take from others."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"txpool is full: {what}, limit {limit} slots")


class FutureReplacesPending(InvalidTransaction):
    """The pool is full, and a transaction that cannot run yet may push out none that can."""

    def __init__(self) -> None:
        super().__init__("future transaction tries to replace pending")


class AccountLimitExceeded(InvalidTransaction):
    """The sender has as many transactions queued as it may, all of lower nonces."""

    def __init__(self, queued: int) -> None:
        super().__init__(f"account limit exceeded: queued {queued} txs")


class InflightLimitReached(InvalidTransaction):
    """EIP-7702: a delegated account can be emptied by others, so it has one transaction here."""

    def __init__(self) -> None:
        super().__init__("in-flight transaction limit reached for delegated accounts")


class GappedFromDelegated(InvalidTransaction):
    """EIP-7702: the one transaction of a delegated account is its next one."""

    def __init__(self) -> None:
        super().__init__("gapped-nonce tx from delegated accounts")


class AuthorityReserved(InvalidTransaction):
    """EIP-7702: it would delegate an account that has more than one transaction here."""

    def __init__(self, authority: bytes) -> None:
        super().__init__(f"authority already reserved: address 0x{authority.hex()}")
