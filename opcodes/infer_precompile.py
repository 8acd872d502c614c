"""The precompile twin of INFER at 0x0c00, which stock Solidity and Vyper can call."""

from cvm.evm.halts import Revert
from cvm.evm.message_rules import PrecompileCall
from opcodes import errors, gas
from opcodes.inference import MODEL_ID_BYTES, refuse_value, run_inference
from opcodes.inference_host import InferenceHost, InferenceLog


def infer_precompile(host: InferenceHost, log: InferenceLog, call: PrecompileCall) -> bytes:
    """Take calldata modelId(32) || input, return the packed output.

    A model error, or calldata shorter than a model id, reverts with the selector and keeps
    the unspent gas; so does value that the call would transfer. PROTOCOL section 2.
    """
    calldata = call.message.data
    refuse_value(call)
    if len(calldata) < MODEL_ID_BYTES:
        call.charge(gas.INFER_BASE)
        raise Revert(errors.BAD_INPUT_SIZE)
    model_id, data = calldata[:MODEL_ID_BYTES], calldata[MODEL_ID_BYTES:]
    outcome = run_inference(host, log, call, model_id, data)
    if not outcome.ok:
        raise Revert(outcome.output)
    return outcome.output
