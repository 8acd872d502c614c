"""The precompile twin of INFER at 0x0c00, which stock Solidity and Vyper can call."""

from eth.abc import ComputationAPI
from eth.exceptions import Revert

from opcodes import errors, gas
from opcodes.inference import run_inference
from opcodes.inference_host import InferenceHost, InferenceLog

MODEL_ID_BYTES = 32


def infer_precompile(
    host: InferenceHost, log: InferenceLog, computation: ComputationAPI
) -> ComputationAPI:
    """Take calldata modelId(32) || input, return the packed output.

    A model error, or calldata shorter than a model id, reverts with the selector and keeps
    the unspent gas; so does value that the call would transfer. PROTOCOL section 2.
    """
    calldata = computation.msg.data_as_bytes
    if computation.msg.value and computation.msg.should_transfer_value:
        raise reverted(computation, b"")
    if len(calldata) < MODEL_ID_BYTES:
        computation.consume_gas(gas.INFER_BASE, reason="INFER: base")
        raise reverted(computation, errors.BAD_INPUT_SIZE)
    model_id, data = calldata[:MODEL_ID_BYTES], calldata[MODEL_ID_BYTES:]
    outcome = run_inference(host, log, computation, model_id, data)
    if not outcome.ok:
        raise reverted(computation, outcome.output)
    computation.output = outcome.output
    return computation


def reverted(computation: ComputationAPI, output: bytes) -> Revert:
    """Return the exception that ends the frame as REVERT would, with `output` as return data."""
    computation.output = output
    return Revert(output)
