"""The precompile twin of MODELINFO at 0x0c01, which stock Solidity and Vyper can call."""

from cvm.evm.halts import Revert
from cvm.evm.message_rules import PrecompileCall
from opcodes import errors, gas
from opcodes.inference import MODEL_ID_BYTES, refuse_value
from opcodes.model_info import field_value

CALLDATA_BYTES = MODEL_ID_BYTES + 32


def model_info_precompile(call: PrecompileCall) -> bytes:
    """Take calldata modelId(32) || field(32), return the value in 32 bytes.

    A field that does not exist, and shorter calldata, revert with a selector and keep the unspent
    gas; so does value that the call would transfer. PROTOCOL section 2.
    """
    calldata = call.message.data
    refuse_value(call)
    call.charge(gas.MODELINFO)
    if len(calldata) < CALLDATA_BYTES:
        raise Revert(errors.BAD_INPUT_SIZE)
    field = int.from_bytes(calldata[MODEL_ID_BYTES:CALLDATA_BYTES], "big")
    value = field_value(call, bytes(calldata[:MODEL_ID_BYTES]), field)
    if value is None:
        raise Revert(errors.BAD_FIELD)
    return value.to_bytes(32, "big")
