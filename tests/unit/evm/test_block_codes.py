"""The codes of a block: analysed once, and not held for longer than they are in use."""

import pytest

from cvm.evm import block_codes
from cvm.evm.block_codes import BlockCodes
from cvm.evm.contract_code import CodeCache, ContractCode
from cvm.evm.native import layout as at
from tests.evm_world import CALL, CALLCODE, DELEGATECALL, GAS, POP, push
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw

CONTRACT, FIRST, SECOND, THIRD = b"\xc0" * 20, b"\xc1" * 20, b"\xc2" * 20, b"\xc3" * 20
SSTORE = bytes.fromhex("55")
CALLEES = (FIRST, SECOND, THIRD)
CALLEE_CODES = {
    address: push(5 + place) + push(place) + SSTORE for place, address in enumerate(CALLEES)
}


def call(address: bytes, opcode: bytes = CALL) -> bytes:
    zeros = push(0) * (4 if opcode == DELEGATECALL else 5)
    return zeros + push(address) + GAS + opcode + POP


def count_analyses(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that grows by each code that is analysed, with a cache that keeps but one."""
    analysed: list[bytes] = []

    class Counted(ContractCode):
        __slots__ = ()

        def __init__(self, data: bytes) -> None:
            analysed.append(data)
            super().__init__(data)

    monkeypatch.setattr("cvm.evm.contract_code.ContractCode", Counted)
    monkeypatch.setattr(block_codes, "CODES", CodeCache(budget_bytes=1))
    return analysed


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize(
    "opcode",
    [
        pytest.param(CALL, id="CALL"),
        pytest.param(CALLCODE, id="CALLCODE"),
        pytest.param(DELEGATECALL, id="DELEGATECALL"),
    ],
)
def test_a_block_analyses_a_code_once_though_the_process_forgets_it(
    opcode: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anew in each of 100,000 calls for 100 gas, kept each time, would fill this machine."""
    analysed = count_analyses(monkeypatch)
    round_of_calls = b"".join(call(address, opcode) for address in CALLEES)
    world = BlockWorld({CONTRACT: round_of_calls * 10, **CALLEE_CODES})
    for nonce in range(2):
        assert world.apply(raw(nonce=nonce, to=CONTRACT, gas=500_000)).error is None
    assert sorted(map(analysed.count, CALLEE_CODES.values())) == [1, 1, 1]


@pytest.mark.usefixtures("interpreter")
def test_a_delegate_is_analysed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    analysed = count_analyses(monkeypatch)
    delegating = {SECOND: bytes.fromhex("ef0100") + FIRST, THIRD: bytes.fromhex("ef0100") + FIRST}
    codes = {CONTRACT: (call(SECOND) + call(THIRD)) * 10, FIRST: CALLEE_CODES[FIRST]}
    world = BlockWorld({**codes, **delegating})
    assert world.apply(raw(to=CONTRACT, gas=500_000)).error is None
    assert analysed.count(CALLEE_CODES[FIRST]) == 1


def code_addresses(world: BlockWorld) -> list[int]:
    """Return where the loop finds the codes of the callees."""
    accounts, numbers = world.execution.world.memory.accounts, map(world.account, CALLEES)
    return [accounts[item.number * at.ACCOUNT_FIELDS + at.CODE_AT] for item in numbers]


@pytest.mark.parametrize(("kept_bytes", "is_kept"), [(0, False), (64 * 2**20, True)])
def test_codes_go_between_transactions_where_they_take_too_much(
    kept_bytes: int, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed = count_analyses(monkeypatch)
    monkeypatch.setattr(block_codes, "KEPT_BYTES", kept_bytes)
    world = BlockWorld({CONTRACT: b"".join(map(call, CALLEES)), **CALLEE_CODES})
    assert world.apply(raw(to=CONTRACT, gas=500_000)).error is None
    assert all(code_addresses(world))
    world.execution.world.begin_transaction()
    assert [bool(address) for address in code_addresses(world)] == [is_kept] * 3
    assert world.apply(raw(nonce=1, to=CONTRACT, gas=500_000)).error is None
    assert [world.storage(address, place) for place, address in enumerate(CALLEES)] == [5, 6, 7]
    assert analysed.count(CALLEE_CODES[FIRST]) == (1 if is_kept else 2)


def test_a_code_that_the_block_wrote_stays_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_codes, "KEPT_BYTES", 0)
    world = BlockWorld({CONTRACT: call(FIRST), FIRST: b"\x00"})
    initcode = bytes.fromhex("61fefe5f526002601ef3")  # returns the code fe fe
    assert world.apply(raw(to=b"", data=initcode)).error is None
    assert world.apply(raw(nonce=1, to=CONTRACT)).error is None
    world.execution.world.begin_transaction()
    assert list(world.execution.finish().changes.codes.values()) == [b"\xfe\xfe"]


def test_precompiles_stay_callable_when_codes_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_codes, "KEPT_BYTES", 0)
    identity = (4).to_bytes(20, "big")
    world = BlockWorld({CONTRACT: call(FIRST) + call(identity), FIRST: b"\x00"})
    used = [world.apply(raw(nonce=n, to=CONTRACT, gas=200_000)).gas_used for n in range(2)]
    assert used[0] == used[1]
    number = world.account(identity).number
    records = world.execution.world.memory.accounts
    assert records[number * at.ACCOUNT_FIELDS + at.CODE_AT] == at.IS_PRECOMPILE
    assert isinstance(world.execution.world.codes, BlockCodes)
