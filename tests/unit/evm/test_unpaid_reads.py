"""What a frame cannot pay for is not read from the state."""

import pytest

from cvm.evm.state_reader import Account
from tests.evm_world import CALL, CALLCODE, CONTRACT, DELEGATECALL, STATICCALL, World, push
from tests.memory_state import MemoryState

TARGET, DELEGATE = b"\x7a" * 20, b"\xde" * 20
BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT = (
    bytes.fromhex(op) for op in ("31", "3b", "3c", "3f", "ff")
)
pytestmark = pytest.mark.usefixtures("interpreter")


class WatchedState(MemoryState):
    """Notes which accounts and codes are read."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts_read: list[bytes] = []
        self.codes_read: list[bytes] = []

    def account(self, address: bytes) -> Account | None:
        self.accounts_read.append(address)
        return super().account(address)

    def code(self, code_hash: bytes) -> bytes:
        self.codes_read.append(super().code(code_hash))
        return self.codes_read[-1]


def run(code: bytes, gas: int, delegate: bytes = b"") -> tuple[WatchedState, str | None]:
    """Run code beside a target that delegates, or has nothing but a balance."""
    world = World()
    world.state = WatchedState()
    world.state.put(TARGET, balance=1, code=delegate and bytes.fromhex("ef0100") + delegate)
    world.state.put(DELEGATE, code=b"\x00")
    return world.state, world.run(code, gas=gas).error


ASKING = [
    pytest.param(push(TARGET) + BALANCE, 3, id="BALANCE"),
    pytest.param(push(TARGET) + EXTCODESIZE, 3, id="EXTCODESIZE"),
    pytest.param(push(TARGET) + EXTCODEHASH, 3, id="EXTCODEHASH"),
    pytest.param(push(0) * 3 + push(TARGET) + EXTCODECOPY, 12, id="EXTCODECOPY"),
    pytest.param(push(0) * 5 + push(TARGET) + push(0) + CALL, 21, id="CALL"),
    pytest.param(push(0) * 5 + push(TARGET) + push(0) + CALLCODE, 21, id="CALLCODE"),
    pytest.param(push(0) * 4 + push(TARGET) + push(0) + DELEGATECALL, 18, id="DELEGATECALL"),
    pytest.param(push(0) * 4 + push(TARGET) + push(0) + STATICCALL, 18, id="STATICCALL"),
    pytest.param(push(TARGET) + SELFDESTRUCT, 5_003, id="SELFDESTRUCT"),
]


@pytest.mark.parametrize(("code", "before"), ASKING)
def test_an_account_is_read_for_2600_gas_and_not_for_less(code: bytes, before: int) -> None:
    state, error = run(code, before + 2_599)
    assert error == "OutOfGas"
    assert TARGET not in state.accounts_read
    state, error = run(code, before + 2_600)
    assert error is None
    assert state.accounts_read.count(TARGET) == 1


@pytest.mark.parametrize(("code", "before"), ASKING)
def test_a_warm_account_costs_100_or_nothing(code: bytes, before: int) -> None:
    """A first BALANCE of it pays for the reading."""
    warm = push(TARGET) + BALANCE
    price = 0 if code.endswith(SELFDESTRUCT) else 100
    for gas, expected in ((price - 1, "OutOfGas"), (price, None)):
        state, error = run(warm + code, 2_603 + before + gas)
        assert error == expected
        assert state.accounts_read.count(TARGET) == 1


def test_a_delegate_is_read_for_another_2600_gas_and_not_for_less() -> None:
    code = push(0) * 5 + push(TARGET) + push(0) + CALL
    state, error = run(code, 21 + 2_600 + 2_599, delegate=DELEGATE)
    assert error == "OutOfGas"
    assert DELEGATE not in state.accounts_read
    state, error = run(code, 21 + 2_600 + 2_600, delegate=DELEGATE)
    assert error is None
    assert state.accounts_read.count(DELEGATE) == 1


def test_the_code_of_an_account_is_not_read_before_its_copy_is_paid() -> None:
    code = push(32) + push(0) * 2 + push(TARGET) + EXTCODECOPY
    state, error = run(code, 12 + 2_600 + 3 + 2, delegate=DELEGATE)
    assert error == "OutOfGas"
    assert [data for data in state.codes_read if data.startswith(b"\xef")] == []
    state, error = run(code, 12 + 2_600 + 3 + 3, delegate=DELEGATE)
    assert error is None
    assert bytes.fromhex("ef0100") + DELEGATE in state.codes_read
    assert CONTRACT in state.accounts_read
