"""EIP-7702 in the pool: a delegated account has one transaction at a time."""

import pytest

from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Authorization, Transaction
from node.pool.faults import (
    AuthorityReserved,
    GappedFromDelegated,
    InflightLimitReached,
    ReplacementUnderpriced,
)
from tests.unit.evm.signing import OTHER, OTHER_KEY, RECIPIENT, SENDER, SENDER_KEY, authorization
from tests.unit.node.pool_world import PoolWorld

DELEGATION = bytes.fromhex("ef0100") + RECIPIENT
SPONSOR_KEY = PrivateKey(b"\x64" * 32)  # TEST key


@pytest.fixture
def world() -> PoolWorld:
    return PoolWorld()


def delegate(world: PoolWorld, authority: PrivateKey, **fields: int) -> Transaction:
    """Add a transaction of the sponsor that would delegate an account."""
    signed = authorization(authority, RECIPIENT)
    fields = {"gas": 200_000} | fields
    return world.add(SPONSOR_KEY, type_id=4, authorizations=[signed], **fields)


def test_a_delegated_account_has_one_transaction(world: PoolWorld) -> None:
    world.accounts.put(SENDER, code=DELEGATION)
    world.add(nonce=0)
    with pytest.raises(InflightLimitReached, match=r"^in-flight transaction limit reached for"):
        world.add(nonce=1)
    world.add(nonce=0, fee_cap=200, tip=20)
    assert world.pending() == [0]


def test_a_delegated_account_has_it_without_a_gap(world: PoolWorld) -> None:
    world.accounts.put(SENDER, code=DELEGATION)
    with pytest.raises(GappedFromDelegated, match=r"^gapped-nonce tx from delegated accounts"):
        world.add(nonce=1)
    assert len(world.pool) == 0


def test_who_is_about_to_be_delegated_has_one_transaction(world: PoolWorld) -> None:
    delegate(world, SENDER_KEY)
    world.add(nonce=0)
    with pytest.raises(InflightLimitReached):
        world.add(nonce=1)
    world.add(OTHER_KEY, nonce=0)
    world.add(OTHER_KEY, nonce=1)


@pytest.mark.parametrize("nonces", [(0, 1), (0, 2), (3, 4)], ids=["pending", "both", "queued"])
def test_who_has_two_transactions_here_is_not_delegated(
    world: PoolWorld, nonces: tuple[int, int]
) -> None:
    for nonce in nonces:
        world.add(nonce=nonce)
    with pytest.raises(AuthorityReserved, match=rf"^authority already reserved: .*{SENDER.hex()}"):
        delegate(world, SENDER_KEY)


def test_who_has_one_transaction_here_is(world: PoolWorld) -> None:
    world.add(nonce=0)
    delegate(world, SENDER_KEY)
    assert world.pool.status().pending == 2


def test_the_limit_ends_with_the_last_transaction_that_would_delegate(world: PoolWorld) -> None:
    first = delegate(world, SENDER_KEY)
    second = delegate(world, SENDER_KEY, nonce=1)
    world.add(nonce=0)
    world.pool.drop(second)
    with pytest.raises(InflightLimitReached):
        world.add(nonce=1)
    world.pool.drop(first)
    world.add(nonce=1)
    assert world.pending() == [0, 1]


def test_a_replacement_takes_over_whom_it_delegates(world: PoolWorld) -> None:
    delegate(world, SENDER_KEY)
    delegate(world, OTHER_KEY, fee_cap=200, tip=20)
    world.add(nonce=0)
    world.add(nonce=1)
    world.add(OTHER_KEY, nonce=0)
    with pytest.raises(InflightLimitReached):
        world.add(OTHER_KEY, nonce=1)


def test_a_refused_transaction_costs_no_recovery_of_its_authorizations(
    world: PoolWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovered: list[Authorization] = []

    def signer(authorization: Authorization) -> bytes:
        recovered.append(authorization)
        return SENDER

    monkeypatch.setattr(Authorization, "signer", signer)
    delegate(world, SENDER_KEY, nonce=0)
    assert len(recovered) == 1
    with pytest.raises(ReplacementUnderpriced):
        delegate(world, OTHER_KEY, nonce=0)
    assert len(recovered) == 1


def test_a_signature_of_nobody_delegates_nobody(world: PoolWorld) -> None:
    broken = authorization(SENDER_KEY, RECIPIENT)
    broken[5] = 2**256 - 1  # s above half the order does not count
    world.add(SPONSOR_KEY, type_id=4, gas=200_000, authorizations=[broken])
    world.add(nonce=0)
    world.add(nonce=1)
    assert world.pending() == [0, 1]


def test_an_account_that_was_delegated_by_a_block_keeps_what_it_had(world: PoolWorld) -> None:
    for nonce in range(3):
        world.add(OTHER_KEY, nonce=nonce)
    world.accounts.put(OTHER, code=DELEGATION)
    world.settle(OTHER)
    assert world.pending(OTHER_KEY) == [0, 1, 2]
