"""What a block asks of the beacon chain: deposits, withdrawals, consolidations (EIP-7685)."""

from collections.abc import Iterable
from hashlib import sha256

from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.receipt import Receipt

DEPOSIT_CONTRACT = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
DEPOSIT_EVENT = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
DEPOSIT, WITHDRAWAL, CONSOLIDATION = 0, 1, 2
REQUEST_CONTRACTS = (
    (WITHDRAWAL, bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002")),
    (CONSOLIDATION, bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251")),
)
"""Request types with the contracts that give them at the end of a block (EIP-7002, EIP-7251)."""

DEPOSIT_FIELDS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
"""Where in the event's data the lengths stand, and what each must be (EIP-6110)."""
DEPOSIT_DATA_BYTES = 576


class MalformedDeposit(Exception):
    """An event of the deposit contract is not laid out as EIP-6110 demands."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"malformed deposit event of {len(data)} bytes: 0x{data[:64].hex()}")


def deposit_requests(receipts: Iterable[Receipt], contract: bytes = DEPOSIT_CONTRACT) -> bytes:
    """Return the type byte and every deposit that the receipts show; raises `MalformedDeposit`."""
    logs = (log for receipt in receipts for log in receipt.logs)
    deposits = [
        deposit_of(log.data)
        for log in logs
        if log.address == contract and log.topics[:1] == (DEPOSIT_EVENT,)
    ]
    return bytes((DEPOSIT,)) + b"".join(deposits)


def deposit_of(data: bytes) -> bytes:
    """Return public key, credentials, amount, signature and index of an event, joined."""
    if len(data) != DEPOSIT_DATA_BYTES:
        raise MalformedDeposit(data)
    parts = []
    for number, (place, size) in enumerate(DEPOSIT_FIELDS):
        head = int.from_bytes(data[WORD_BYTES * number : WORD_BYTES * (number + 1)], "big")
        length = int.from_bytes(data[place : place + WORD_BYTES], "big")
        if head != place or length != size:
            raise MalformedDeposit(data)
        parts.append(data[place + WORD_BYTES : place + WORD_BYTES + size])
    return b"".join(parts)


def requests_hash(requests: Iterable[bytes]) -> bytes:
    """Return the hash of the requests that hold something beside their type (EIP-7685)."""
    return sha256(b"".join(sha256(r).digest() for r in requests if len(r) > 1)).digest()
