"""An opcode that the host must help, or whose frame it must take back, ends as on plain Python."""

import pytest

from tests.evm_world import CALL, CALLER, CONTRACT, POP, World, push

NOBODY = b"\xee" * 20
ADD, BALANCE, JUMP, LOG0, MSIZE, SSTORE = (
    bytes.fromhex(op) for op in ("01", "31", "56", "a0", "59", "55")
)
pytestmark = pytest.mark.usefixtures("interpreter")
SENDS = push(0) * 4 + push(1) + push(NOBODY) + push(0) + CALL + POP
SENDS += push(CALLER) + BALANCE + POP
SENDING_GAS = (7 * 3 + 2_600 + 9_000 + 25_000 - 2_300 + 2) + (3 + 2_600 + 2)


@pytest.mark.parametrize(
    ("code", "gas_left", "error"),
    [
        pytest.param(ADD, 4, "StackUnderflow", id="stack underflow"),
        pytest.param(push(1) + JUMP, 3 + 8 + 5, "InvalidJump", id="invalid jump"),
        pytest.param(b"\xfe", 0, "InvalidOpcode", id="no opcode"),
        pytest.param(push(1) * 2 + ADD, 6 + 2, "OutOfGas", id="out of gas"),
        pytest.param(push(1) + push(1) + SSTORE, 6 + 22_099, "OutOfGas", id="a dear write"),
    ],
)
def test_a_frame_that_sent_wei_halts_for_its_first_reason(
    code: bytes, gas_left: int, error: str
) -> None:
    """The host takes the transfer back before the loop ends the frame."""
    world = World()
    world.state.put(CONTRACT, balance=10)
    ran = world.run(SENDS + code, gas=SENDING_GAS + gas_left)
    assert (ran.error, ran.gas_left) == (error, 0)


def test_a_log_that_needs_room_grows_memory_once() -> None:
    """70,000 bytes are 2,188 words of memory: 3 * 2,188 + 2,188**2 // 512 gas."""
    code = push(70_000) + push(0) + LOG0 + MSIZE + POP
    ran = World().run(code)
    assert ran.gas_used == 6 + 375 + 8 * 70_000 + 6_564 + 9_350 + 2 + 2
