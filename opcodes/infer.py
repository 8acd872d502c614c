"""INFER (0xC0): run a registered model on input that lies in memory."""

from cvm.evm.frame_view import FrameView
from opcodes.inference import run_inference
from opcodes.inference_host import InferenceHost, InferenceLog


def infer(host: InferenceHost, log: InferenceLog, frame: FrameView) -> None:
    """Pop model id, input offset and size, output offset and size; push ok.

    Gas: memory expansion for both ranges, then as `run_inference` charges. The whole output,
    or the selector of a model error, is left in RETURNDATA; min(outSize, size) bytes of an
    output are copied to memory. Allowed in STATICCALL. PROTOCOL section 2.
    """
    # STACK
    model_id = frame.pop().to_bytes(32, "big")
    in_offset, in_size, out_offset, out_size = (frame.pop() for _ in range(4))

    # GAS
    frame.reserve((in_offset, in_size), (out_offset, out_size))

    # OPERATION
    data = frame.read(in_offset, in_size)
    outcome = run_inference(host, log, frame, model_id, data)
    frame.set_return_data(outcome.output)
    if outcome.ok:
        frame.write(out_offset, outcome.output[:out_size])
    frame.push(int(outcome.ok))
