"""What the pool takes, in which order it gives it back, and what it forgets."""

from collections.abc import Callable, Iterator

import pytest

from cvm.evm.faults import (
    IntrinsicGasTooLow,
    InvalidSignature,
    InvalidTransaction,
    NonceAtMaximum,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionGasTooHigh,
    WrongChainId,
)
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction_decoding import decode_transaction
from node.pool import faults
from node.pool.faults import (
    AlreadyKnown,
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
from node.pool.rules import validate_raw
from node.transaction_pool import TransactionPool
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import OTHER, OTHER_KEY, SENDER, SENDER_KEY, address_of, raw
from tests.unit.node.pool_world import ETHER, Accounts


@pytest.fixture
def pool() -> TransactionPool:
    return TransactionPool(CHAIN_ID)


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def add(pool: TransactionPool, accounts: Accounts) -> Callable[[bytes], None]:
    def add_one(encoded: bytes) -> None:
        pool.add(decode_transaction(encoded), accounts)

    return add_one


Add = Callable[[bytes], None]


def order(pool: TransactionPool, base_fee: int = 7) -> list[bytes]:
    return [tx.encode() for tx in pool.best_first(base_fee)]


def test_a_taken_transaction_is_found_by_its_hash(pool: TransactionPool, add: Add) -> None:
    add(raw())
    tx = decode_transaction(raw())
    found = pool.get(bytes(tx.hash))
    assert found is not None
    assert found.encode() == raw()
    assert len(pool) == 1
    assert pool.get(bytes(32)) is None


def test_the_very_same_transaction_in_a_block_need_not_be_recovered(
    pool: TransactionPool, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(raw())
    same, other = decode_transaction(raw()), decode_transaction(raw(nonce=1))
    pool.lend_senders([same, other])
    monkeypatch.setattr("cvm.evm.transaction.recover_address", lambda *_arguments: None)
    assert same.sender == SENDER
    with pytest.raises(InvalidSignature):
        _ = other.sender


def test_the_same_transaction_again_is_already_known(add: Add) -> None:
    add(raw())
    with pytest.raises(AlreadyKnown, match="already known"):
        add(raw())


@pytest.mark.parametrize(
    ("encoded", "fault", "words"),
    [
        pytest.param(raw(chain_id=8), WrongChainId, "have 8 want 7", id="another chain"),
        pytest.param(raw(0, chain_id=None), UnprotectedTransaction, "EIP-155", id="unprotected"),
        pytest.param(raw(nonce=2**64 - 1), NonceAtMaximum, "max value", id="last nonce"),
        pytest.param(raw(gas=20_999), IntrinsicGasTooLow, "want 21000", id="too little gas"),
        pytest.param(raw(gas=2**24 + 1), TransactionGasTooHigh, "16777216", id="too much gas"),
        pytest.param(raw(tip=101), TipAboveFeeCap, "101", id="tip over cap"),
        pytest.param(raw(value=ETHER), NotPayable, f"balance {ETHER}, tx cost", id="no funds"),
        pytest.param(
            raw(data=bytes(MAX_TX_BYTES), gas=2_000_000),
            TransactionTooLarge,
            "limit 131072",
            id="too large",
        ),
    ],
)
def test_what_no_block_would_take_is_refused(
    pool: TransactionPool, add: Add, encoded: bytes, fault: type[Exception], words: str
) -> None:
    with pytest.raises(fault, match=words):
        add(encoded)
    assert len(pool) == 0


def test_a_used_nonce_is_too_low(add: Add, accounts: Accounts) -> None:
    accounts.put(SENDER, nonce=3)
    with pytest.raises(NonceUsed, match="nonce too low: next nonce 3, tx nonce 2"):
        add(raw(nonce=2))


def test_a_used_nonce_is_too_low_while_others_wait(add: Add, accounts: Accounts) -> None:
    accounts.put(SENDER, nonce=3)
    add(raw(nonce=3))
    with pytest.raises(NonceUsed, match="nonce too low: next nonce 3, tx nonce 2"):
        add(raw(nonce=2))


def test_a_contract_cannot_send(add: Add, accounts: Accounts) -> None:
    accounts.put(SENDER, code=b"\x00")
    with pytest.raises(SenderNotEoa):
        add(raw())


def test_more_gas_than_a_block_has_is_refused(
    pool: TransactionPool, add: Add, accounts: Accounts
) -> None:
    pool.settle(accounts, PoolHead(base_fee=7, gas_limit=99_999))
    with pytest.raises(OverBlockGasLimit, match="exceeds block gas limit: gas 100000, limit 99999"):
        add(raw())


def test_the_size_limit_holds_before_decoding() -> None:
    validate_raw(b"\x02" + bytes(MAX_TX_BYTES - 1))
    with pytest.raises(TransactionTooLarge, match="transaction size 131073, limit 131072"):
        validate_raw(b"\x02" + bytes(MAX_TX_BYTES))


@pytest.mark.parametrize(
    ("first", "is_refused"),
    [
        pytest.param(0xF8, False, id="legacy"),
        pytest.param(1, False, id="access list"),
        pytest.param(2, False, id="dynamic fee"),
        pytest.param(3, True, id="blobs"),
        pytest.param(4, False, id="set code"),
        pytest.param(5, True, id="type 5"),
        pytest.param(0x7F, True, id="type 127"),
    ],
)
def test_a_type_that_is_not_carried_is_refused_whatever_its_size(
    first: int, *, is_refused: bool
) -> None:
    if not is_refused:
        validate_raw(bytes([first]) + bytes(9))
        return
    for size in (0, MAX_TX_BYTES):
        with pytest.raises(TypeNotPooled, match=f"not supported: received type {first}$"):
            validate_raw(bytes([first]) + bytes(size))


def test_the_balance_must_cover_everything_that_waits(add: Add, accounts: Accounts) -> None:
    cost = 100_000 * 100
    accounts.put(SENDER, balance=2 * cost + 5)
    add(raw(nonce=0))
    add(raw(nonce=1, value=5))
    words = f"balance {2 * cost + 5}, queued cost {2 * cost + 5}, tx cost {cost}, overshot {cost}"
    with pytest.raises(NotPayableTogether, match=words):
        add(raw(nonce=2))
    with pytest.raises(NotPayableTogether, match=f"tx bumped {cost}, overshot {cost}"):
        add(raw(nonce=0, fee_cap=200, tip=2))


def test_a_replacement_is_not_counted_twice_against_the_balance(
    add: Add, accounts: Accounts
) -> None:
    accounts.put(SENDER, balance=100_000 * 110)
    add(raw())
    add(raw(fee_cap=110, tip=4))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param((100, 10), (109, 20), "maxFeePerGas 109, needed 110", id="fee cap"),
        pytest.param((100, 10), (200, 10), "maxPriorityFeePerGas 10, needed 11", id="tip"),
        pytest.param((100, 10), (100, 10), "maxFeePerGas 100, needed 110", id="the same price"),
        pytest.param((109, 9), (118, 10), "maxFeePerGas 118, needed 119", id="rounded down"),
        pytest.param((9, 9), (9, 9), "maxFeePerGas 9, needed 10", id="a wei at least"),
        pytest.param((100, 0), (110, 0), "maxPriorityFeePerGas 0, needed 1", id="no tip"),
    ],
)
def test_a_replacement_pays_ten_percent_more_of_both(
    pool: TransactionPool, add: Add, old: tuple[int, int], new: tuple[int, int], words: str
) -> None:
    add(raw(fee_cap=old[0], tip=old[1]))
    with pytest.raises(
        ReplacementUnderpriced, match=rf"^replacement transaction underpriced: {words}$"
    ):
        add(raw(fee_cap=new[0], tip=new[1], value=1))
    assert order(pool) == [raw(fee_cap=old[0], tip=old[1])]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param((100, 10), (110, 11), id="exact"),
        pytest.param((109, 9), (119, 10), id="rounded down"),
        pytest.param((9, 0), (10, 1), id="small"),
    ],
)
def test_ten_percent_is_enough(
    pool: TransactionPool, add: Add, old: tuple[int, int], new: tuple[int, int]
) -> None:
    add(raw(fee_cap=old[0], tip=old[1]))
    add(raw(fee_cap=new[0], tip=new[1]))
    assert order(pool) == [raw(fee_cap=new[0], tip=new[1])]


def test_a_replacement_takes_the_place(pool: TransactionPool, add: Add) -> None:
    old = raw(fee_cap=100, tip=10)
    new = raw(fee_cap=110, tip=11)
    add(old)
    add(raw(nonce=1))
    add(new)
    assert order(pool) == [new, raw(nonce=1)]
    assert pool.get(bytes(decode_transaction(old).hash)) is None
    assert len(pool) == 2


def keys_by_address() -> Iterator[PrivateKey]:
    return iter(sorted([SENDER_KEY, OTHER_KEY], key=address_of))


def test_the_higher_tip_goes_first(pool: TransactionPool, add: Add) -> None:
    first, second = raw(tip=5), raw(key=OTHER_KEY, tip=6)
    add(first)
    add(second)
    assert order(pool) == [second, first]


def test_the_fee_cap_bounds_the_tip_in_the_order(pool: TransactionPool, add: Add) -> None:
    bounded, whole = raw(fee_cap=10, tip=10), raw(key=OTHER_KEY, tip=4)
    add(bounded)
    add(whole)
    assert order(pool, base_fee=7) == [whole, bounded]
    assert order(pool, base_fee=1) == [bounded, whole]


def test_the_same_tip_goes_by_address(pool: TransactionPool, add: Add) -> None:
    low, high = (raw(key=key) for key in keys_by_address())
    add(high)
    add(low)
    assert order(pool) == [low, high]


def test_one_sender_keeps_its_nonce_order(pool: TransactionPool, add: Add) -> None:
    cheap, dear = raw(nonce=0, tip=1), raw(nonce=1, tip=50)
    other = raw(key=OTHER_KEY, tip=10)
    for encoded in (cheap, dear, other):
        add(encoded)
    assert order(pool) == [other, cheap, dear]


def test_who_cannot_pay_the_base_fee_waits_with_all_that_follows(
    pool: TransactionPool, add: Add
) -> None:
    add(raw(nonce=0, fee_cap=6))
    add(raw(nonce=1))
    add(raw(key=OTHER_KEY))
    assert order(pool) == [raw(key=OTHER_KEY)]
    assert sorted(order(pool, base_fee=3)) == sorted(
        [raw(nonce=0, fee_cap=6), raw(nonce=1), raw(key=OTHER_KEY)]
    )
    assert len(pool) == 3


def test_what_follows_on_a_dropped_one_waits_for_another_in_its_place(
    pool: TransactionPool, add: Add
) -> None:
    for nonce in range(3):
        add(raw(nonce=nonce))
    add(raw(key=OTHER_KEY))
    pool.drop(decode_transaction(raw(nonce=1)))
    assert sorted(order(pool)) == sorted([raw(nonce=0), raw(key=OTHER_KEY)])
    assert pool.next_nonce(SENDER, 0) == 1
    pool.drop(decode_transaction(raw(nonce=0)))
    assert order(pool) == [raw(key=OTHER_KEY)]
    pool.drop(decode_transaction(raw(nonce=0)))
    add(raw(nonce=0, value=1))
    add(raw(nonce=1, value=1))
    assert pool.next_nonce(SENDER, 0) == 3


def test_dropping_a_replaced_transaction_leaves_its_replacement(
    pool: TransactionPool, add: Add
) -> None:
    old, new = raw(), raw(fee_cap=200, tip=10)
    add(old)
    add(new)
    pool.drop(decode_transaction(old))
    assert order(pool) == [new]


def test_settling_forgets_what_a_block_used_up(
    pool: TransactionPool, add: Add, accounts: Accounts
) -> None:
    for nonce in range(3):
        add(raw(nonce=nonce))
    add(raw(key=OTHER_KEY))
    accounts.put(SENDER, nonce=2)
    pool.settle(accounts)
    assert len(pool) == 2
    assert pool.next_nonce(SENDER, 2) == 3
    accounts.put(SENDER, nonce=3)
    accounts.put(OTHER, nonce=1)
    pool.settle(accounts)
    assert len(pool) == 0
    assert order(pool) == []


def test_the_next_nonce_is_the_accounts_when_everything_waiting_is_used_up(
    pool: TransactionPool, add: Add
) -> None:
    add(raw(nonce=0))
    assert pool.next_nonce(SENDER, 5) == 5


def test_a_sender_that_sends_elsewhere_too_can_go_on(
    pool: TransactionPool, add: Add, accounts: Accounts
) -> None:
    """Nonce 0 waits here, and a block had another nonce 0 and a nonce 1."""
    add(raw(nonce=0))
    accounts.put(SENDER, nonce=2)
    add(raw(nonce=2))
    pool.settle(accounts)
    assert order(pool) == [raw(nonce=2)]


def test_what_is_used_up_is_not_counted_against_the_balance(add: Add, accounts: Accounts) -> None:
    accounts.put(SENDER, balance=100_000 * 100)
    add(raw(nonce=0))
    accounts.put(SENDER, nonce=1)
    add(raw(nonce=1))


def test_every_refusal_is_an_invalid_transaction() -> None:
    found = [fault for name, fault in vars(faults).items() if isinstance(fault, type)]
    assert len(found) == 17
    assert all(issubclass(fault, InvalidTransaction) for fault in found)
