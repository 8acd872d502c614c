"""The errors a JSON-RPC caller can see, with the codes and the wording that geth uses.

* RpcError
  - ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError   (JSON-RPC 2.0)
  - NotificationsUnsupported, NoSuchSubscription   -32601
  - ServerError            -32000: the request was understood and cannot be done
    - HeaderNotFound
  - RequestTimedOut        -32002
  - ResponseTooLarge       -32003
  - LimitExceeded          -32005 (EIP-1474)
    - RateLimited
  - ModelDataUnavailable   -32010
  - ResourceNotFound       -32001 (EIP-1474)
  - TransactionNotIncluded 4 (EIP-7966), with the transaction's hash as data
  - ExecutionReverted      3, with the returned bytes as data
* BadArgument - a parser's verdict; the registry adds the argument's place and raises InvalidParams
"""

REQUEST_TIMED_OUT_CODE = -32002
RESPONSE_TOO_LARGE_CODE = -32003


class BadArgument(Exception):
    """A value is not what the parameter takes; the message holds the value and the rule."""


class RpcError(Exception):
    """An answer with a code, a message and, for some codes, data as a hex string."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class ParseError(RpcError):
    """The body is not JSON."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32700, f"parse error: {reason}")


class InvalidRequest(RpcError):
    """The JSON is not a JSON-RPC 2.0 request."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32600, reason)


class MethodNotFound(RpcError):
    """No method has that name."""

    def __init__(self, method: str) -> None:
        super().__init__(-32601, f"the method {method} does not exist/is not available")


class NotificationsUnsupported(RpcError):
    """A subscription needs a connection that stays: a WebSocket or the IPC socket."""

    def __init__(self) -> None:
        super().__init__(-32601, "notifications not supported")


class NoSuchSubscription(RpcError):
    """Nothing of that name is pushed here."""

    def __init__(self, name: str) -> None:
        super().__init__(-32601, f"no {name} subscription in eth namespace")


class InvalidParams(RpcError):
    """The parameters are too few, too many, or one of them breaks its rule."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32602, reason)


class InternalError(RpcError):
    """Something broke here; what it was stands in the log and nowhere else."""

    def __init__(self) -> None:
        super().__init__(-32603, "internal error")


class ServerError(RpcError):
    """The request was understood, and the chain says no."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32000, reason)


class HeaderNotFound(ServerError):
    """The block that a state question names is not known here."""

    def __init__(self) -> None:
        super().__init__("header not found")


class RequestTimedOut(RpcError):
    """The request took longer than the server allows."""

    def __init__(self) -> None:
        super().__init__(REQUEST_TIMED_OUT_CODE, "request timed out")


class ResponseTooLarge(RpcError):
    """The answers of a batch outgrew their bound."""

    def __init__(self) -> None:
        super().__init__(RESPONSE_TOO_LARGE_CODE, "response too large")


class LimitExceeded(RpcError):
    """The question is fair and its answer too large; ask for a part of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32005, reason)


class RateLimited(LimitExceeded):
    """One address asks too often; over HTTP the status is 429."""

    def __init__(self, per_second: int) -> None:
        super().__init__(f"rate limit exceeded: {per_second} requests per second")


class ModelDataUnavailable(RpcError):
    """This node lacks the bytes of a model that the call runs; another node has them."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32010, reason)


class ExecutionReverted(RpcError):
    """The message reverted; `data` is what it returned, in hex."""

    def __init__(self, reason: str | None, data: str) -> None:
        message = "execution reverted" if reason is None else f"execution reverted: {reason}"
        super().__init__(3, message, data)


class ResourceNotFound(RpcError):
    """What is asked for is not there, and could not be."""

    def __init__(self, reason: str) -> None:
        super().__init__(-32001, reason)


class TransactionNotIncluded(RpcError):
    """The transaction waits, and no block had it in time; `tx_hash` is the answer's data."""

    def __init__(self, timeout_ms: int, tx_hash: str) -> None:
        seconds = f"{timeout_ms / 1_000:g}s"
        super().__init__(
            4,
            f"The transaction was added to the transaction pool but wasn't processed in {seconds}",
            tx_hash,
        )
