"""BLOBHASH gives the versioned hashes of the running transaction by their index (EIP-4844)."""

import pytest

from cvm.evm.execution import environment_of
from cvm.evm.forks import OSAKA
from cvm.evm.message_rules import Additions, Interpreter, Rules
from cvm.evm.messages import Message, TransactionEnvironment
from cvm.evm.native.machine_memory import START_BLOB_HASHES, MachineMemory
from cvm.evm.precompiles.table import precompiles
from cvm.evm.world_state import WorldState
from tests.evm_world import CALLER, CONTRACT, POP, World, context, no_hash, push, return_top
from tests.memory_state import MemoryState

BLOBHASH = bytes.fromhex("49")
HASHES = tuple(b"\x01" + bytes([0x80 + number]) * 30 + b"\xff" for number in range(20))
NONE = bytes(32)


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize(
    ("count", "index", "output"),
    [
        pytest.param(2, 0, HASHES[0], id="the first"),
        pytest.param(2, 1, HASHES[1], id="the last"),
        pytest.param(2, 2, NONE, id="at the count"),
        pytest.param(2, 3, NONE, id="over the count"),
        pytest.param(0, 0, NONE, id="none at all"),
        pytest.param(2, 2**32, NONE, id="2**32"),
        pytest.param(2, 2**64, NONE, id="2**64"),
        pytest.param(2, 2**64 + 1, NONE, id="2**64 + 1"),
        pytest.param(2, 2**192, NONE, id="2**192"),
        pytest.param(2, 2**256 - 1, NONE, id="2**256 - 1"),
        pytest.param(20, 19, HASHES[19], id="more than a block can hold"),
    ],
)
def test_a_hash_by_its_index(count: int, index: int, output: bytes) -> None:
    assert len(HASHES) > START_BLOB_HASHES
    code = push(index) + BLOBHASH + return_top()
    assert World().run(code, blob_hashes=HASHES[:count]).output == output


@pytest.mark.usefixtures("interpreter")
def test_it_costs_3_gas() -> None:
    ran = World().run((push(1) + BLOBHASH + POP) * 3, blob_hashes=HASHES[:2])
    assert ran.gas_used == 3 * (3 + 3 + 2)


def test_hashes_of_an_earlier_transaction_are_gone(interpreter: type[Interpreter]) -> None:
    state = MemoryState()
    state.put(CONTRACT, code=push(1) + BLOBHASH + return_top())
    world = WorldState(state, MachineMemory(), OSAKA, no_hash)
    rules = Rules(world, environment_of(context(), OSAKA), precompiles(OSAKA), Additions())
    running, outputs = interpreter(rules), []
    for hashes in (HASHES[:2], HASHES[:1], HASHES[2:5], ()):
        world.begin_transaction()
        message = Message(CALLER, CONTRACT, CONTRACT, 0, 100_000, b"")
        outputs.append(running.execute(message, TransactionEnvironment(CALLER, 1, hashes)).output)
    assert outputs == [HASHES[1], NONE, HASHES[3], NONE]
