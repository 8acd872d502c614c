"""A full pool makes room for what pays more, so transactions that never run cannot hold it."""

import pytest
from eth_keys.datatypes import PrivateKey

from cvm.evm.state_reader import Account
from cvm.evm.transaction_decoding import decode_transaction
from node import transaction_pool
from node.transaction_pool import PoolFull, TransactionPool
from tests.evm_world import CHAIN_ID
from tests.memory_state import MemoryState
from tests.unit.evm.signing import OTHER_KEY, SENDER_KEY, raw

THIRD_KEY = PrivateKey(b"\x64" * 32)  # TEST key


class Rich(MemoryState):
    """Every account has an ether and has sent nothing."""

    def account(self, address: bytes) -> Account:
        return Account(balance=10**18)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> TransactionPool:
    """Return a full pool: two of SENDER, of which the first pays least, and one of OTHER."""
    monkeypatch.setattr(transaction_pool, "MAX_PENDING", 3)
    pool = TransactionPool(CHAIN_ID)
    for encoded in CHEAP_FIRST, CHEAP_SECOND, MIDDLE:
        add(pool, encoded)
    return pool


CHEAP_FIRST = raw(nonce=0, fee_cap=1, tip=1)
CHEAP_SECOND = raw(nonce=1, fee_cap=50)
MIDDLE = raw(key=OTHER_KEY, fee_cap=20)


def add(pool: TransactionPool, encoded: bytes) -> None:
    pool.add(decode_transaction(encoded), Rich())


def held(pool: TransactionPool) -> set[bytes]:
    return {
        encoded
        for encoded in (CHEAP_FIRST, CHEAP_SECOND, MIDDLE, raw(key=THIRD_KEY, fee_cap=30))
        if pool.get(bytes(decode_transaction(encoded).hash)) is not None
    }


def test_one_that_pays_more_takes_the_place_of_the_cheapest_and_what_waits_behind_it(
    pool: TransactionPool,
) -> None:
    newcomer = raw(key=THIRD_KEY, fee_cap=30)
    add(pool, newcomer)
    assert held(pool) == {MIDDLE, newcomer}
    assert len(pool) == 2


@pytest.mark.parametrize("fee_cap", [1, 0], ids=["as much", "less"])
def test_one_that_pays_no_more_finds_the_pool_full(pool: TransactionPool, fee_cap: int) -> None:
    with pytest.raises(PoolFull, match="all senders together may hold 3"):
        add(pool, raw(key=THIRD_KEY, fee_cap=fee_cap, tip=0))
    assert len(pool) == 3


def test_a_sender_does_not_evict_what_its_own_newcomer_stands_on(pool: TransactionPool) -> None:
    with pytest.raises(PoolFull):
        add(pool, raw(key=SENDER_KEY, nonce=2, fee_cap=90))
    assert held(pool) == {CHEAP_FIRST, CHEAP_SECOND, MIDDLE}
