"""The one list of what this chain adds to the EVM."""

from functools import partial

from cvm.evm.message_rules import Additions
from opcodes.infer import infer
from opcodes.infer_precompile import infer_precompile
from opcodes.inference_host import InferenceHost, InferenceLog

INFER = 0xC0
INFER_ADDRESS = (0x0C00).to_bytes(20, "big")


def ai_additions(host: InferenceHost, log: InferenceLog) -> Additions:
    """Return the AI opcodes and twins, bound to a host that runs models and a log of calls.

    INFER's base price is charged inside, where the twin charges it too.
    """
    return Additions(
        opcodes={INFER: partial(infer, host, log)},
        precompiles={INFER_ADDRESS: partial(infer_precompile, host, log)},
    )
