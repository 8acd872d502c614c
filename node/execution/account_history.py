"""When an account came to be as it is: bisection over the states of a chain, no index."""

from collections.abc import Callable
from dataclasses import dataclass

from cvm.evm.header import BlockHeader
from cvm.evm.state_reader import Account
from cvm.faults import DatabaseFault
from node.execution.execution_chain import ExecutionChain

Claim = Callable[[Account], bool]
"""Something that is true of an account from some block on."""


@dataclass(frozen=True, slots=True)
class FirstBlock:
    """The first block after which a claim held; `unknown` is why the one before it cannot tell."""

    header: BlockHeader
    unknown: DatabaseFault | None


def first_block_where(chain: ExecutionChain, address: bytes, claim: Claim) -> FirstBlock | None:
    """Return the first block after which a claim about an account held, None where it never has.

    It looks at as many states as the number of the head has bits. A state that is not here counts
    as one from before.
    """
    head = chain.head()
    if not claims(chain, head, address, claim):
        return None
    low, high, unknown = -1, head.block_number, None
    found = head
    while high - low > 1:
        middle = (low + high) // 2
        try:
            header = chain.header_at(middle)
            is_there = header is not None and claims(chain, header, address, claim)
        except DatabaseFault as fault:
            low, unknown = middle, fault
            continue
        if header is not None and is_there:
            high, found = middle, header
        else:
            low, unknown = middle, None
    return FirstBlock(found, unknown)


def claims(chain: ExecutionChain, header: BlockHeader, address: bytes, claim: Claim) -> bool:
    """Tell whether a claim about an account holds after a block; raises a `DatabaseFault`."""
    with chain.state_at(header) as state:
        return claim(state.account(address) or Account())
