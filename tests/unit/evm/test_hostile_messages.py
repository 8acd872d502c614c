"""A message that no transaction could be ends as a result with an error, never as an exception."""

from time import process_time

import pytest

from cvm.evm.message_call import CallSetting, SimulatedTransaction, run_message
from tests.evm_world import CALLER
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw


def rich_setting() -> CallSetting:
    world = BlockWorld()
    world.state.put(CALLER, balance=10**18)
    return world.setting


def test_eip_3860_initcode_that_is_too_long_is_refused_as_geth_words_it() -> None:
    message = SimulatedTransaction(
        sender=CALLER, to=b"", gas=10_000_000, gas_price=7, value=0, data=bytes(49_153)
    )
    result = run_message(rich_setting(), message)
    assert result.error == "max initcode size exceeded: code size 49153 limit 49152"


def test_the_longest_initcode_runs() -> None:
    message = SimulatedTransaction(
        sender=CALLER, to=b"", gas=10_000_000, gas_price=7, value=0, data=bytes(49_152)
    )
    assert run_message(rich_setting(), message).error is None


def loop_s(target: int, input_bytes: int) -> float:
    """Return the processor time of calls with 2,000,000 gas that has a megabyte of memory ready."""
    grow = bytes.fromhex("6001620fffe052")
    call = (
        b"\x5f\x5f\x62" + input_bytes.to_bytes(3, "big") + b"\x5f\x61" + target.to_bytes(2, "big")
    )
    contract = grow + b"\x5b" + call + bytes.fromhex("5ffa50600756")
    tx = raw(to=b"\xc0" * 20, gas=4_500_000)
    best = float("inf")
    for _ in range(2):
        world = BlockWorld({b"\xc0" * 20: contract})
        start = process_time()
        assert world.apply(tx).error == "OutOfGas"
        best = min(best, process_time() - start)
    return best


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(0xEEEE, id="no code"),
        *(
            pytest.param(number, id=f"precompile {number}")
            for number in (1, 2, 4, 6, 8, 9, 15, 256)
        ),
    ],
)
def test_a_call_does_not_copy_an_input_that_nobody_pays_for(target: int) -> None:
    """16.7 million gas of such calls copied 120 GB in 18 s."""
    assert loop_s(target, 0xF0000) < 4 * loop_s(target, 0)
