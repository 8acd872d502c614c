"""Senders are recovered on a few threads, each once, and a bad signature stops no other."""

from collections.abc import Iterator

import pytest

from cvm.evm.faults import InvalidSignature
from cvm.evm.signatures import address_of_key
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.sender_recovery import SMALLEST_SHARE, SenderRecovery

KEYS = [bytes([number]) * 32 for number in range(1, 9)]  # TEST keys
PLAIN = UnsignedTransaction(chain_id=7, nonce=0, max_fee_per_gas=1, to=bytes(20))


@pytest.fixture
def recovery() -> Iterator[SenderRecovery]:
    recovery = SenderRecovery(threads=2)
    yield recovery
    recovery.close()


def transactions(count: int) -> list[Transaction]:
    return [PLAIN.sign(KEYS[place % len(KEYS)]) for place in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2 * SMALLEST_SHARE, 2 * SMALLEST_SHARE + 1])
def test_every_transaction_keeps_its_own_sender(recovery: SenderRecovery, count: int) -> None:
    many = transactions(count)
    recovery.recover(many)
    recovered = [tx._sender for tx in many]
    assert recovered == [address_of_key(KEYS[place % len(KEYS)]) for place in range(count)]


def test_a_signature_without_a_signer_is_left_to_the_rules(recovery: SenderRecovery) -> None:
    many = transactions(2 * SMALLEST_SHARE)
    many[1] = PLAIN.with_signature(0, 5, 1)  # x = 5 is on no point of the curve
    recovery.recover(many)
    assert many[1]._sender is None
    assert all(tx._sender for tx in [many[0], *many[2:]])
    with pytest.raises(InvalidSignature):
        _ = many[1].sender
