"""The one list of what this chain adds to the EVM."""

from functools import partial

from cvm.evm.message_rules import Additions
from opcodes.infer import infer
from opcodes.infer_array import infer_array
from opcodes.infer_precompile import infer_precompile
from opcodes.inference_host import InferenceHost, InferenceLog
from opcodes.model_info import model_info
from opcodes.model_info_precompile import model_info_precompile

INFER, INFERARRAY, MODELINFO = 0xC0, 0xC1, 0xC2
INFER_ADDRESS = (0x0C00).to_bytes(20, "big")
MODELINFO_ADDRESS = (0x0C01).to_bytes(20, "big")


def ai_additions(host: InferenceHost, log: InferenceLog) -> Additions:
    """Return the AI opcodes and twins, bound to a host that runs models and a log of calls.

    Their base prices are charged inside, where the twins charge them too.
    """
    return Additions(
        opcodes={
            INFER: partial(infer, host, log),
            INFERARRAY: partial(infer_array, host, log),
            MODELINFO: model_info,
        },
        precompiles={
            INFER_ADDRESS: partial(infer_precompile, host, log),
            MODELINFO_ADDRESS: model_info_precompile,
        },
        royalties=log.royalties,
    )
