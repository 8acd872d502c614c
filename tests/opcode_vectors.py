"""Runs the vectors of the AI opcodes: transactions on a state that is given slot by slot.

`tests/vectors/opcodes/README.md` describes the files; another client can run them as well.
"""

from typing import Any

from cvm.evm.execution import BlockContext, BlockExecution, ExecutionRules
from cvm.evm.forks import OSAKA
from cvm.evm.message_rules import Interpreter
from cvm.evm.transaction_decoding import decode_transaction
from cvm.inference.backends.backend import Plan
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items
from cvm.inference.model_file import Model, parse_model
from opcodes.inference_host import InferenceCall, InferenceLog
from opcodes.table import ai_additions
from tests.memory_state import MemoryState

Json = dict[str, Any]


class ModelHost:
    """Runs the models of a vector file on the definition."""

    def __init__(self, models: Json) -> None:
        self._loaded: dict[bytes, tuple[Model, Plan]] = {}
        for document in models.values():
            model = parse_model(bytes.fromhex(document["onnx"]))
            plan = ReferenceBackend().plan(model.graph)
            self._loaded[bytes.fromhex(document["id"])] = model, plan

    def run(self, model_id: bytes, data: bytes) -> bytes:
        """Run a batch."""
        model, plan = self._loaded[model_id]
        return run_items(plan, model, data)


def run_vector(host: ModelHost, case: Json, interpreter: type[Interpreter]) -> Json:
    """Run the transactions of a case; return what its `expect` must be."""
    log = InferenceLog()
    rules = ExecutionRules(OSAKA, ai_additions(host, log), interpreter=interpreter)
    state = state_of(case["state"])
    block = case["block"]
    context = BlockContext(
        chain_id=block["chainId"],
        number=block["number"],
        timestamp=block["timestamp"],
        coinbase=bytes.fromhex(block["coinbase"]),
        gas_limit=block["gasLimit"],
        base_fee=block["baseFee"],
        prev_randao=bytes(32),
        parent_hash=bytes(32),
        parent_beacon_block_root=bytes(32),
    )
    execution = BlockExecution(rules, state, context, lambda _number: bytes(32))
    ran = []
    for raw in case["transactions"]:
        result = execution.apply(decode_transaction(bytes.fromhex(raw)))
        ran.append(
            {
                "error": result.error,
                "gasUsed": result.gas_used,
                "output": result.output.hex(),
                "inferences": [shown(call) for call in log.take()],
            }
        )
    balances = {
        address: execution.world.account(bytes.fromhex(address)).balance
        for address in case["watched"]
    }
    return {"transactions": ran, "balances": balances}


def shown(call: InferenceCall) -> Json:
    """Return a call as a vector shows it."""
    return {
        "model": call.model_id.hex(),
        "ok": call.ok,
        "base": call.gas.base,
        "load": call.gas.load,
        "compute": call.gas.compute,
        "royalty": call.gas.royalty,
        "bytes": call.gas.io_bytes,
        "output": call.output.hex(),
    }


def state_of(accounts: Json) -> MemoryState:
    """Return the state that a case starts from."""
    state = MemoryState()
    for address, account in accounts.items():
        state.put(
            bytes.fromhex(address),
            nonce=account.get("nonce", 0),
            balance=account.get("balance", 0),
            code=bytes.fromhex(account.get("code", "")),
            storage={
                int(slot, 16): int(word, 16) for slot, word in account.get("storage", {}).items()
            },
        )
    return state
