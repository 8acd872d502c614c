"""State tests: one transaction on a listed state, and the root and logs that it leaves."""

from typing import Any

from consensus.ethereum.ethereum_forks import with_blob_numbers
from cvm.evm.blob_gas import GAS_PER_BLOB, blob_base_fee
from cvm.evm.faults import InvalidTransaction
from cvm.evm.forks import CANCUN, OSAKA, PRAGUE, Fork
from cvm.evm.keccak import keccak256
from cvm.evm.log import Log
from cvm.evm.message_rules import Additions, Interpreter
from cvm.evm.messages import BlockEnvironment
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.precompiles.table import precompiles
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_execution import TransactionExecution
from cvm.evm.transaction_rules import BlockRoom, ChainRules, validate_transaction
from cvm.evm.world_state import WorldState
from tests.conformance.expected_faults import wrong_reason
from tests.conformance.memory_states import ListedState, data_of, number
from tests.conformance.outcomes import Outcome, outcome

FORKS = {"Cancun": CANCUN, "Prague": PRAGUE, "Osaka": OSAKA}
NO_ADDITIONS = Additions()


def judge_state_tests(
    path: str, document: dict[str, Any], interpreter: type[Interpreter]
) -> list[Outcome]:
    """Judge the subtests of one file for the forks that we have."""
    outcomes = []
    for name, test in document.items():
        state: ListedState | None = None
        for fork_name, subtests in test["post"].items():
            if fork_name not in FORKS:
                continue
            state = state or ListedState(test["pre"])
            case = StateTest(test, state, fork_of(test, fork_name), interpreter)
            for subtest in subtests:
                indexes = ",".join(str(subtest["indexes"][i]) for i in ("data", "gas", "value"))
                label = f"{path}::{name.rpartition('::')[2]}[{fork_name} {indexes}]"
                outcomes.append(outcome(label, case.fault_of(subtest)))
    return outcomes


def fork_of(test: dict[str, Any], name: str) -> Fork:
    """Return the rules of a fork with the blob numbers of a test's `config`."""
    schedule = test.get("config", {}).get("blobSchedule", {})
    fork = FORKS[name]
    return with_blob_numbers(fork, schedule.get(name), fork)


class StateTest:
    """A listed state and a block environment, in which one transaction runs at a time."""

    def __init__(
        self, test: dict[str, Any], state: ListedState, fork: Fork, interpreter: type[Interpreter]
    ) -> None:
        env = test["env"]
        self._state, self._fork, self._interpreter = state, fork, interpreter
        self._chain = ChainRules(
            number(test.get("config", {}).get("chainid", "0x1")), fork, carries_blobs=True
        )
        blob_fee = blob_base_fee(number(env.get("currentExcessBlobGas")), fork)
        self._block = BlockEnvironment(
            chain_id=self._chain.chain_id,
            number=number(env["currentNumber"]),
            timestamp=number(env["currentTimestamp"]),
            coinbase=data_of(env["currentCoinbase"]),
            gas_limit=number(env["currentGasLimit"]),
            base_fee=number(env.get("currentBaseFee")),
            prev_randao=data_of(env.get("currentRandom", "0x")).rjust(32, b"\0"),
            blob_base_fee=blob_fee,
        )
        self._room = BlockRoom(
            self._block.base_fee, self._block.gas_limit, blob_fee, fork.max_blobs * GAS_PER_BLOB
        )

    def fault_of(self, subtest: dict[str, Any]) -> str | None:
        """Return what is wrong with our run of a subtest, or None."""
        expected = subtest.get("expectException")
        try:
            tx = decode_transaction(data_of(subtest["txbytes"]))
            validate_transaction(tx, self._state, self._chain, self._room)
        except InvalidTransaction as fault:
            if expected is None:
                return f"refused: {fault}"
            root = self._state.root.hex()
            if root != subtest["hash"][2:]:
                return f"the state before it is {root}"
            return wrong_reason(expected, fault)
        if expected is not None:
            return f"accepted, not refused for {expected}"
        root_bytes, logs_hash = self._run(tx)
        if root_bytes != data_of(subtest["hash"]):
            return f"state root {root_bytes.hex()}, not {subtest['hash']}"
        if logs_hash != data_of(subtest["logs"]):
            return f"hash of the logs {logs_hash.hex()}, not {subtest['logs']}"
        return None

    def _run(self, tx: Transaction) -> tuple[bytes, bytes]:
        """Run a valid transaction; return the state root and the hash of the logs."""
        world = WorldState(self._state, MachineMemory(), self._fork, self._block_hash)
        execution = TransactionExecution(
            world, self._block, precompiles(self._fork), NO_ADDITIONS, self._interpreter
        )
        execution.run(tx)
        logs = [Log(*fields).encode() for fields in world.logs()]
        execution.settle()
        return self._state.root_after(world.changes()), keccak256(encode_list(b"".join(logs)))

    def _block_hash(self, height: int) -> bytes:
        """Return the hash that the suite gives a height: that of its decimal digits."""
        return keccak256(str(height).encode())
