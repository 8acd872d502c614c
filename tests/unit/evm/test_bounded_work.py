"""What a frame costs this machine stays in proportion to its gas, in time and in memory."""

import tracemalloc
from hashlib import sha256

import pytest
from eth.vm.code_stream import CodeStream
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm import contract_code
from cvm.evm.contract_code import CodeCache, ContractCode
from cvm.evm.precompiles.point_evaluation import trusted_setup
from tests.evm_world import GAS, POP, STATICCALL, World, push
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw

CONTRACT, CALLEE, NOBODY = b"\xc0" * 20, b"\xce" * 20, b"\xee" * 20
JUMPDEST, JUMP, MSTORE8 = (bytes.fromhex(op) for op in ("5b", "56", "53"))
CODE_BYTE = st.sampled_from([0x5B, 0x60, 0x61, 0x7F, 0x00, 0x5F, 0x80])


def call(address: bytes, input_bytes: int = 0) -> bytes:
    arguments = push(0) + push(0) + push(input_bytes) + push(0)
    return arguments + push(address) + GAS + STATICCALL + POP


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(CODE_BYTE, max_size=120).map(bytes))
def test_the_same_places_are_jump_destinations_as_in_py_evm(code: bytes) -> None:
    ours, theirs = ContractCode(code), CodeStream(code)
    places = range(len(code) + 2)
    assert [ours.is_jump_destination(at) for at in places] == [
        code[at : at + 1] == JUMPDEST and theirs.is_valid_opcode(at) for at in places
    ]


@pytest.mark.usefixtures("interpreter")
def test_code_is_analysed_once_for_all_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searching anew in every frame would be 20,000 steps for 100 gas, 50 times."""
    analysed: list[int] = []
    mark = contract_code.mark_jump_destinations

    def counted(code: int, size: int, jumps: int) -> None:
        analysed.append(size)
        mark(code, size, jumps)

    monkeypatch.setattr(contract_code, "mark_jump_destinations", counted)
    monkeypatch.setattr("cvm.evm.block_codes.CODES", CodeCache())
    code = push(20_004) + JUMP + b"\x60" * 20_000 + JUMPDEST
    world = World()
    world.put_code(CALLEE, code)
    assert world.run(call(CALLEE) * 50).is_success
    assert analysed.count(len(code)) == 1


def test_the_cache_of_analysed_code_has_a_bound() -> None:
    cache = CodeCache(budget_bytes=1_000)
    codes = [bytes([number]) * 200 for number in range(10)]
    kept = [cache.get(code, code) for code in codes]
    assert cache.get(codes[-1], codes[-1]) is kept[-1]
    assert cache.get(codes[0], codes[0]) is not kept[0]


def peak_bytes(callee: bytes, calls: int) -> int:
    """Return the most memory that calls with an input of 100 kB take."""
    world = World()
    world.put_code(NOBODY, callee)
    code = push(0) + push(99_999) + MSTORE8 + call(NOBODY, 100_000) * calls
    tracemalloc.start()
    try:
        world.run(code, gas=10**12)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize(
    "callee",
    [pytest.param(b"", id="no code"), pytest.param(b"\xfe", id="a callee that halts")],
)
def test_finished_frames_do_not_keep_their_input(callee: bytes) -> None:
    """A call copies its input for 100 gas; 300 calls with 100 kB must not hold 30 MB."""
    assert peak_bytes(callee, 300) - peak_bytes(callee, 1) < 1_000_000


@pytest.mark.usefixtures("interpreter")
def test_finished_frames_still_give_logs_and_refunds() -> None:
    emit = push(0) + push(0) + bytes.fromhex("a0")
    clear = push(0) + push(0) + bytes.fromhex("55")
    code = {CONTRACT: emit + clear, CALLEE: calls_twice(CONTRACT) + emit}
    world = BlockWorld(code, storage={CONTRACT: {0: 1}})
    result = world.apply(raw(to=CALLEE, gas=200_000))
    assert [log.address for log in result.receipt.logs] == [CONTRACT, CONTRACT, CALLEE]
    before_refund = 21_000 + 2 * 22 + 2_600 + 100 + 2 * (381 + 6) + 5_000 + 100 + 381
    assert result.gas_used == before_refund - 4_800


def calls_twice(address: bytes) -> bytes:
    return (push(0) * 5 + push(address) + GAS + bytes.fromhex("f1") + POP) * 2


def test_the_trusted_setup_of_point_evaluation_is_loaded_once() -> None:
    """Loading it for every proof would be 7 s of work for 50,000 gas."""
    commitment = b"\xc0" + bytes(47)  # the zero polynomial; its proof is the same point
    versioned_hash = b"\x01" + sha256(commitment).digest()[1:]
    world = BlockWorld()
    for nonce in range(2):
        data = versioned_hash + bytes(64) + commitment + commitment
        result = world.apply(raw(nonce=nonce, to=(10).to_bytes(20, "big"), data=data))
        assert result.error is None
    assert trusted_setup.cache_info().misses <= 1
