"""The digest of a block stands for all of its bytes."""

import pytest

from consensus.block import Block
from consensus.qbft.events import ProposedHeader
from consensus.qbft.proposed_header import read_proposed_header
from cvm.evm.list_root import list_root
from cvm.evm.transaction_decoding import decode_transaction
from tests.unit.consensus.headers import CERTIFICATE, child_header
from tests.unit.evm.signing import raw

RAW = [raw(0), raw(2, nonce=1)]
COINBASE = b"\xc0" * 20
HEADER = child_header(coinbase=COINBASE, transaction_root=list_root(RAW))
TRANSACTIONS = tuple(map(decode_transaction, RAW))
BLOCK = Block(HEADER, TRANSACTIONS).encode()


def test_reads_what_consensus_must_know() -> None:
    expected = ProposedHeader(
        number=10,
        hash=HEADER.hash,
        timestamp_s=1_002,
        coinbase=COINBASE,
        parent_certificate_hash=CERTIFICATE,
    )
    assert read_proposed_header(BLOCK) == expected


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(Block(HEADER, TRANSACTIONS[:1]).encode(), id="a transaction missing"),
        pytest.param(Block(HEADER, TRANSACTIONS[::-1]).encode(), id="another order"),
        pytest.param(Block(HEADER, ()).encode(), id="no body"),
        pytest.param(BLOCK[:-1], id="cut off"),
        pytest.param(BLOCK + b"\0", id="a byte more"),
        pytest.param(b"\xc0", id="an empty list"),
    ],
)
def test_other_bytes_with_this_header_are_no_block(block: bytes) -> None:
    assert read_proposed_header(block) is None
