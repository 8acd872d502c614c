"""Many signatures at once give what each gives alone."""

from ctypes import CFUNCTYPE, c_int, c_void_p, cast
from typing import Any

import numpy as np
import pytest

from cvm.evm import signature_batch
from cvm.evm.sender_batch import SenderBatch
from cvm.evm.signature_batch import SignatureBatch
from cvm.evm.signatures import CURVE_ORDER, address_of_key, recover_address, sign_hash
from cvm.evm.transaction_signing import UnsignedTransaction

KEYS = [bytes([number]) * 32 for number in range(1, 9)]  # TEST keys
HASHES = [bytes([0x40 + number]) * 32 for number in range(1, 9)]
SIGNED = [sign_hash(message_hash, key) for message_hash, key in zip(HASHES, KEYS, strict=True)]


def addresses(hashes: list[bytes], signatures: list[tuple[int, int, int]]) -> list[bytes | None]:
    compact = b"".join(r.to_bytes(32) + s.to_bytes(32) for _parity, r, s in signatures)
    batch = SignatureBatch(
        b"".join(hashes), compact, bytes(parity for parity, _r, _s in signatures)
    )
    batch.run()
    return batch.addresses()


def test_every_signer_is_found() -> None:
    assert addresses(HASHES, SIGNED) == [address_of_key(key) for key in KEYS]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((0, 0, 1), id="r 0"),
        pytest.param((0, 1, 0), id="s 0"),
        pytest.param((0, CURVE_ORDER, 1), id="r n"),
        pytest.param((0, 1, CURVE_ORDER), id="s n"),
        pytest.param((1, 5, 1), id="r on no point"),
        pytest.param((2, 2, 1), id="parity 2, and r + n on a point"),
        pytest.param((3, 2, 1), id="parity 3, and r + n on a point"),
        pytest.param((4, 2, 1), id="parity 4, at which libsecp256k1 ends the process"),
    ],
)
def test_a_bad_signature_has_no_signer_and_spoils_no_other(bad: tuple[int, int, int]) -> None:
    assert recover_address(HASHES[3], *bad) is None
    expected: list[bytes | None] = [address_of_key(key) for key in KEYS]
    expected[3] = None
    assert addresses(HASHES, [*SIGNED[:3], bad, *SIGNED[4:]]) == expected


def test_no_signatures_have_no_signers() -> None:
    assert addresses([], []) == []


def test_transactions_of_every_form_keep_their_senders() -> None:
    forms = [(0, None), (0, 7), (1, 7), (2, 7), (3, 7), (4, 7)]
    transactions = [
        UnsignedTransaction(
            type_id=type_id, chain_id=chain_id, nonce=0, max_fee_per_gas=1, to=bytes(20)
        ).sign(key)
        for (type_id, chain_id), key in zip(forms, KEYS, strict=False)
    ]
    batch = SenderBatch(transactions)
    batch.run()
    batch.finish()
    assert [tx._sender for tx in transactions] == [address_of_key(key) for key in KEYS[:6]]


def test_what_libsecp256k1_reads_and_writes_is_held_by_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory that compiled code has freed may be another thread's: then a sender is anybody."""
    arguments: list[Any] = []
    real = signature_batch.recover_all
    kind = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_void_p)
    recover = cast(int(signature_batch.FUNCTIONS[2]), kind)
    given: list[int] = []

    def noting(context: int, key: int, signature: int, message: int) -> int:
        given.extend((key, signature, message))
        return int(recover(context, key, signature, message))

    def recording(functions: Any, *buffers: Any) -> None:
        arguments.extend(buffers)
        replaced = functions.copy()
        replaced[2] = cast(callback, c_void_p).value
        real(replaced, *buffers)

    callback = kind(noting)
    monkeypatch.setattr(signature_batch, "recover_all", recording)
    assert addresses(HASHES[:2], SIGNED[:2]) == [address_of_key(key) for key in KEYS[:2]]
    assert len(given) == 6
    assert [address for address in given if not any(map(holds(address), arguments))] == []


def holds(address: int) -> Any:
    """Return whether an array has the byte at an address."""

    def test(array: np.ndarray[Any, Any]) -> bool:
        start = int(array.ctypes.data)
        return start <= address < start + array.nbytes

    return test
