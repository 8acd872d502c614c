"""A message that no transaction could be ends as a result with an error, never as an exception."""

from cvm.evm.message_call import CallSetting, SimulatedTransaction, run_message
from tests.evm_world import CALLER
from tests.unit.evm.block_world import BlockWorld


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
