"""Plain Ethereum blocks: their form, the rules on bodies, and what execution must give."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.ethereum.ethereum_block import (
    EthereumBlock,
    decode_ethereum_block,
    split_blocks,
)
from consensus.ethereum.ethereum_body_rules import validate_ethereum_body
from consensus.ethereum.faults import (
    BlockTooLarge,
    FieldMissing,
    FieldOfLaterFork,
    NoRequestContract,
    OmmersNotEmpty,
    UnknownParent,
    WrongBlobGasUsed,
    WrongBloom,
    WrongField,
    WrongGasUsed,
    WrongNumber,
    WrongReceiptsRoot,
    WrongRequestsHash,
    WrongRoot,
    WrongStateRoot,
    WrongTransactionsRoot,
    WrongWithdrawalsRoot,
)
from consensus.faults import InvalidBlock, MalformedBlock, RequestsFailed
from consensus.withdrawal import Withdrawal
from cvm.evm.forks import CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork
from cvm.evm.list_root import list_root
from cvm.evm.state_reader import Account
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS
from tests.unit.consensus.ethereum.ethereum_world import (
    PARENT,
    EthereumWorld,
    child_of,
    request_contracts,
)

PAID = Withdrawal(1, 2, b"\x11" * 20, 3)
SIZE_LIMIT = 8_388_608
OTHER = b"\1" * 32


def block_of(fork: Fork, **changed: Any) -> EthereumBlock:
    header = child_of(PARENT, fork)
    return replace(EthereumBlock(header, (), (), () if fork.is_shanghai else None), **changed)


@pytest.mark.parametrize("fork", [PARIS, SHANGHAI, CANCUN, PRAGUE], ids=lambda fork: fork.name)
def test_a_block_is_decoded_as_it_was_encoded(fork: Fork) -> None:
    block = block_of(fork, ommers=(PARENT,))
    assert decode_ethereum_block(block.encode()) == block


def test_withdrawals_are_decoded_as_they_were_encoded() -> None:
    block = block_of(SHANGHAI, withdrawals=(PAID, PAID))
    assert decode_ethereum_block(block.encode()).withdrawals == (PAID, PAID)


@settings(max_examples=200, derandomize=True)
@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_changed_bytes_are_another_block_or_none(place: int, byte: int) -> None:
    raw = bytearray(block_of(SHANGHAI, withdrawals=(PAID,)).encode())
    raw[place % len(raw)] = byte
    try:
        block = decode_ethereum_block(bytes(raw))
    except MalformedBlock:
        return
    assert replace(block).encode() == bytes(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b"", "no bytes", id="nothing"),
        pytest.param(b"\xc0", "too few elements", id="no-parts"),
        pytest.param(b"\xc3\xc0\xc0\xc0", "fields", id="an-empty-header"),
        pytest.param(block_of(CANCUN).encode() + b"\0", "after the end", id="a-byte-too-many"),
    ],
)
def test_what_is_no_block_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(MalformedBlock, match=words):
        decode_ethereum_block(raw)


def test_a_file_of_blocks_is_split_into_them() -> None:
    raws = [block_of(fork).encode() for fork in (PARIS, CANCUN)]
    assert split_blocks(b"".join(raws)) == raws


def test_a_file_that_breaks_off_is_refused_with_the_block() -> None:
    raw = block_of(CANCUN).encode()
    with pytest.raises(MalformedBlock, match="block 1 of the file: the item at byte"):
        split_blocks(raw + raw[:-1])


@pytest.mark.parametrize(
    ("block", "fork", "fault", "words"),
    [
        pytest.param(
            block_of(CANCUN, ommers=(PARENT,)), CANCUN, OmmersNotEmpty, "sha3Uncles is", id="ommers"
        ),
        pytest.param(
            block_of(PARIS, withdrawals=()), PARIS, FieldOfLaterFork, "withdrawals is there",
            id="before-shanghai",
        ),
        pytest.param(
            block_of(SHANGHAI, withdrawals=None), SHANGHAI, FieldMissing, "withdrawals is missing",
            id="no-withdrawals",
        ),
        pytest.param(
            block_of(SHANGHAI, withdrawals=(PAID,)), SHANGHAI, WrongWithdrawalsRoot,
            "the header says 0x56e81f17", id="other-withdrawals",
        ),
    ],
)  # fmt: skip
def test_a_body_that_breaks_a_rule_is_refused(
    block: EthereumBlock, fork: Fork, fault: type[InvalidBlock], words: str
) -> None:
    with pytest.raises(fault, match=words):
        validate_ethereum_body(block, fork)


def block_of_size(size_bytes: int) -> EthereumBlock:
    """Return a block whose one ommer fills it to a size."""
    rest = len(block_of(OSAKA, ommers=(replace(PARENT, extra_data=bytes(1 << 23)),)).encode())
    extra_data = bytes((1 << 23) + size_bytes - rest)
    return block_of(OSAKA, ommers=(replace(PARENT, extra_data=extra_data),))


def test_a_block_of_osaka_has_at_most_8_mib() -> None:
    with pytest.raises(OmmersNotEmpty):
        validate_ethereum_body(block_of_size(SIZE_LIMIT), OSAKA)
    with pytest.raises(BlockTooLarge, match="8388609 bytes, at most 8388608"):
        validate_ethereum_body(block_of_size(SIZE_LIMIT + 1), OSAKA)


def test_a_block_of_prague_may_have_more() -> None:
    with pytest.raises(OmmersNotEmpty):
        validate_ethereum_body(block_of_size(SIZE_LIMIT + 1), PRAGUE)


def test_a_block_without_transactions_becomes_the_head() -> None:
    world = EthereumWorld()
    block = world.block()
    world.chain.import_block(block.encode())
    assert world.chain.head == block.header


def test_withdrawals_are_paid() -> None:
    world = EthereumWorld()
    paid = EthereumWorld({PAID.address: Account(balance=3_000_000_000)}).chain.head.state_root
    block = world.block((PAID,), withdrawals_root=list_root([PAID.encode()]), state_root=paid)
    world.chain.import_decoded(block)
    assert world.chain.head.state_root == paid


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        pytest.param("transaction_root", OTHER, WrongTransactionsRoot, id="transactions"),
        pytest.param("gas_used", 1, WrongGasUsed, id="gas"),
        pytest.param("bloom", 1, WrongBloom, id="bloom"),
        pytest.param("receipt_root", OTHER, WrongReceiptsRoot, id="receipts"),
        pytest.param("blob_gas_used", 131_072, WrongBlobGasUsed, id="blob-gas"),
        pytest.param("state_root", OTHER, WrongStateRoot, id="state"),
    ],
)
def test_a_header_that_execution_does_not_give_is_refused(
    field: str, value: Any, fault: type[WrongRoot]
) -> None:
    world = EthereumWorld()
    before = world.chain.head
    with pytest.raises(fault, match="the header says"):
        world.chain.import_decoded(world.block(**{field: value}))
    assert world.chain.head is before


def test_requests_that_execution_does_not_give_are_refused() -> None:
    world = EthereumWorld(fork=PRAGUE, codes=request_contracts())
    world.chain.import_decoded(world.block())
    with pytest.raises(WrongRequestsHash, match="the header says 0x0101"):
        world.chain.import_decoded(world.block(requests_hash=OTHER))


def test_a_block_of_prague_without_the_request_contracts_is_refused() -> None:
    world = EthereumWorld(fork=PRAGUE)
    with pytest.raises(NoRequestContract, match="no code at 0x00000961ef"):
        world.chain.import_decoded(world.block())


def test_a_block_whose_request_contract_fails_is_refused() -> None:
    world = EthereumWorld(fork=PRAGUE, codes=request_contracts(b"\xfe"))
    with pytest.raises(RequestsFailed, match=r"system call to 0x00000961ef.* failed"):
        world.chain.import_decoded(world.block())


def test_a_block_on_an_unknown_parent_is_not_judged() -> None:
    world = EthereumWorld()
    with pytest.raises(UnknownParent, match="its parent 0x0101"):
        world.chain.import_decoded(world.block(parent_hash=OTHER))


def test_a_block_may_stand_on_another_than_the_head() -> None:
    world = EthereumWorld()
    first, other = world.block(), world.block(extra_data=b"other")
    world.chain.import_decoded(first)
    world.chain.import_decoded(other)
    assert world.chain.head.hash == other.hash


def test_faults_of_fields_hold_both_values() -> None:
    fields = {kind.field for kind in WrongField.__subclasses__()}
    fields |= {kind.field for kind in WrongRoot.__subclasses__()}
    assert "" not in fields
    assert str(WrongNumber(5, 5, 6)) == "block 5: number is 5, must be 6"


def test_a_beacon_roots_contract_that_fails_leaves_the_block_valid() -> None:
    world = EthereumWorld(codes={BEACON_ROOTS_ADDRESS: b"\xfe"})
    world.chain.import_decoded(world.block())
    assert world.chain.head.block_number == 1
