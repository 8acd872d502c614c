"""Calls a model on chain through its precompile twin, without sending a transaction."""

from models_registry.cli.http_client import (
    RpcClient,
    RpcRefused,
    hex_text,
    octets,
)
from models_registry.cli.pulling import NOT_AVAILABLE_CODE, NotHere
from models_registry.cli.sending import ChainSaysNo
from models_registry.selectors import selector

INFER_TWIN = (0x0C00).to_bytes(20, "big")
MAX_CALL_BYTES = 2 * 1024 * 1024
"""Of one call's input: in hex, with room to spare, it fits the body of a request (5 MiB)."""

LATEST = "latest"
NOT_ACTIVE = selector("ModelNotActive()")
ERRORS = {
    NOT_ACTIVE: "the model is not ACTIVE: `cvm model status` says what it lacks",
    selector("BadInputSize()"): "the input is not a number of items that the model takes",
    selector("InputOutOfRange()"): "a value of the input lies outside what the model can take",
}


class InputTooLarge(ChainSaysNo):
    """A call's input does not fit one request."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"the input has {size_bytes:,} bytes, one call takes {MAX_CALL_BYTES:,}: "
            "call with fewer items"
        )


def call_model(rpc: RpcClient, identity: bytes, data: bytes, block: str = LATEST) -> bytes:
    """Return what INFER gives for an input on the state after a block.

    Raises `ChainSaysNo` with what to do where the model refuses, or `ClientFault`.
    """
    if len(data) > MAX_CALL_BYTES:
        raise InputTooLarge(len(data))
    call = {"to": hex_text(INFER_TWIN), "data": hex_text(identity + data)}
    try:
        return rpc.ask(octets, "eth_call", call, block)
    except RpcRefused as refused:
        if refused.code == NOT_AVAILABLE_CODE:
            raise NotHere(rpc.url, identity) from refused
        if block != LATEST and refused.data[:4] == NOT_ACTIVE:
            raise ChainSaysNo(
                f"the model was not ACTIVE after block {int(block, 16):,}"
            ) from refused
        if refused.data[:4] in ERRORS:
            raise ChainSaysNo(ERRORS[refused.data[:4]]) from refused
        raise
