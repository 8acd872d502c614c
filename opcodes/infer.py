"""INFER (0xC0): run a registered model on input that lies in memory."""

from eth.abc import ComputationAPI

from opcodes.inference import run_inference
from opcodes.inference_host import InferenceHost, InferenceLog


def infer(host: InferenceHost, log: InferenceLog, computation: ComputationAPI) -> None:
    """Pop model id, input offset and size, output offset and size; push ok.

    Gas: memory expansion for both ranges, then as `run_inference` charges. The whole output,
    or the selector of a model error, is left in RETURNDATA; min(outSize, size) bytes of an
    output are copied to memory. Allowed in STATICCALL. PROTOCOL section 2.
    """
    # STACK
    model_id = computation.stack_pop1_int().to_bytes(32, "big")
    in_offset, in_size, out_offset, out_size = computation.stack_pop_ints(4)

    # GAS
    computation.extend_memory(in_offset, in_size)
    computation.extend_memory(out_offset, out_size)

    # OPERATION
    data = computation.memory_read_bytes(in_offset, in_size)
    outcome = run_inference(host, log, computation, model_id, data)
    computation.return_data = outcome.output
    if outcome.ok:
        copied = outcome.output[:out_size]
        computation.memory_write(out_offset, len(copied), copied)
    computation.stack_push_int(int(outcome.ok))
