"""How eth_simulateV1 refuses: the codes of execution-apis, with geth's words."""

from node.rpc.faults import RpcError

NONCE_TOO_LOW, NONCE_TOO_HIGH = -38010, -38011
BASE_FEE_TOO_LOW = -38012
INTRINSIC_GAS_TOO_LOW = -38013
INSUFFICIENT_FUNDS = -38014
INITCODE_TOO_LARGE = -38025
INVALID_PARAMS, INTERNAL = -32602, -32603
VM_ERROR = -32015
"""Of a call that halted, in the answer of its block."""


class BlockGasLimitReached(RpcError):
    """A call asks for more gas than is left in its block."""

    def __init__(self, asked: int, limit: int) -> None:
        super().__init__(-38015, f"block gas limit reached: {asked} >= {limit}")


class BlockNumbersOutOfOrder(RpcError):
    """A block does not stand above the one before it."""

    def __init__(self, number: int, before: int) -> None:
        super().__init__(-38020, f"block numbers must be in order: {number} <= {before}")


class TimestampsOutOfOrder(RpcError):
    """A block is not later than the one before it."""

    def __init__(self, timestamp: int, before: int) -> None:
        super().__init__(-38021, f"block timestamps must be in order: {timestamp} <= {before}")


class TooManyBlocks(RpcError):
    """The blocks reach further than a simulation may."""

    def __init__(self) -> None:
        super().__init__(-38026, "too many blocks")


class CallRefused(RpcError):
    """A call breaks a rule of transactions."""

    def __init__(self, code: int, words: str, gas: int) -> None:
        super().__init__(code, f"err: {words} (supplied gas {gas})")
