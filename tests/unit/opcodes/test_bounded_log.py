"""The log of calls holds what was paid for, and nothing where nobody reads it."""

import pytest

from consensus.fork_schedule import Machines
from opcodes import gas
from opcodes.inference_host import InferenceCall, InferenceLog, RoyaltyLog
from tests.evm_world import MODEL_ID, OWNER, FakeHost, World, infer_code, push


@pytest.mark.parametrize(
    "in_size",
    [
        pytest.param(100_001, id="no whole number of items"),
        pytest.param(4 * 4_097, id="too many items"),
    ],
)
def test_a_refused_call_does_not_keep_its_input(in_size: int) -> None:
    """It costs 3,000 gas whatever its size, so 5,000 of them would hold gigabytes."""
    world = World()
    world.register()
    world.run(infer_code(in_size=in_size, out_size=0))
    [call] = world.log.take()
    assert (call.ok, call.has_run, call.input) == (False, False, b"")


def test_a_call_that_ran_keeps_its_input() -> None:
    world = World()
    world.register()
    world.run(push(7) + push(3) + bytes.fromhex("53") + infer_code(out_size=0))
    [call] = world.log.take()
    assert (call.ok, call.has_run, call.input) == (True, True, bytes([0, 0, 0, 7]))


@pytest.mark.parametrize(
    ("royalty", "ok", "owed"),
    [
        pytest.param(7, True, [(OWNER, 7)], id="owed"),
        pytest.param(7, False, [], id="failed"),
        pytest.param(0, True, [], id="no royalty"),
    ],
)
def test_a_log_that_nobody_reads_keeps_what_is_owed_and_no_bytes(
    royalty: int, ok: bool, owed: list[tuple[bytes, int]]
) -> None:
    log: InferenceLog = RoyaltyLog()
    charge = gas.InferenceGas(gas.INFER_BASE, 0, 1, royalty, 0)
    log.add(InferenceCall(MODEL_ID, OWNER, ok, charge, b"in", b"out"))
    assert log.royalties() == owed
    assert all((call.input, call.output) == (b"", b"") for call in log.take())


def test_machines_keep_calls_only_when_asked_to() -> None:
    assert isinstance(Machines(FakeHost(), keeps_calls=False).log, RoyaltyLog)
    assert not isinstance(Machines(FakeHost()).log, RoyaltyLog)
