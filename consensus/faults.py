"""Why a block is refused: one class per broken rule, each holding the values compared.

* InvalidBlock
  - MalformedBlock      the bytes are not a block
  - HeaderFieldWrong    a header field differs from what the rules give
  - CoinbaseNotValidator
  - TimestampTooEarly
  - ExtraDataTooLong
  - BodyRootWrong       the body is not the one that the header names
  - InvalidTransactionInBlock
  - ExecutionDisagrees  our execution gives another root than the header
  - InferenceGasExceeded
  - BadCertificate      the commit certificate does not prove the block final
* InvalidGenesis        the genesis file breaks a rule
* InvalidTransaction    (cvm.evm.faults) a transaction that fits no block on this state
  - InferenceGasTooHigh
"""

from cvm.evm.faults import InvalidTransaction
from opcodes.inference_host import InferenceCall

__all__ = [
    "BadCertificate",
    "BodyRootWrong",
    "CoinbaseNotValidator",
    "ExecutionDisagrees",
    "ExtraDataTooLong",
    "HeaderFieldWrong",
    "InferenceGasExceeded",
    "InferenceGasTooHigh",
    "Inferences",
    "InvalidBlock",
    "InvalidGenesis",
    "InvalidTransaction",
    "InvalidTransactionInBlock",
    "MalformedBlock",
    "TimestampTooEarly",
]


class InvalidGenesis(Exception):
    """The genesis file cannot start a chain."""


Inferences = tuple[tuple[bytes, InferenceCall], ...]
"""Model calls in block order, each with the hash of its transaction."""


class InvalidBlock(Exception):
    """The block breaks a rule; nobody may build on it.

    `inferences` are the calls that had run by then: where one of them is the cause, it gave the
    proposer other bytes than this node.
    """

    inferences: Inferences = ()


class MalformedBlock(InvalidBlock):
    """The bytes are not the RLP of a block."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a block: {reason}")


class HeaderFieldWrong(InvalidBlock):
    """A header field differs from what the rules give for its parent."""

    def __init__(self, number: int, field: str, actual: object, expected: object) -> None:
        super().__init__(f"block {number}: {field} is {shown(actual)}, must be {shown(expected)}")
        self.field = field


class CoinbaseNotValidator(InvalidBlock):
    """The block pays an account that is no validator of its height."""

    def __init__(self, number: int, coinbase: bytes, validators: int) -> None:
        super().__init__(
            f"block {number}: coinbase 0x{coinbase.hex()} is none of the {validators} validators"
        )
        self.number = number
        self.coinbase = coinbase
        self.validators = validators


class TimestampTooEarly(InvalidBlock):
    """The block is less than a period younger than its parent."""

    def __init__(self, number: int, actual: int, earliest: int) -> None:
        super().__init__(f"block {number}: timestamp {actual} is before {earliest}")


class ExtraDataTooLong(InvalidBlock):
    """`extraData` holds more than 32 bytes."""

    def __init__(self, number: int, length: int, limit: int) -> None:
        super().__init__(f"block {number}: extraData has {length} bytes, at most {limit}")


class BodyRootWrong(InvalidBlock):
    """The body's root is not the header's."""

    def __init__(self, number: int, what: str, actual: bytes, expected: bytes) -> None:
        super().__init__(
            f"block {number}: {what} root of the body is {shown(actual)}, "
            f"the header says {shown(expected)}"
        )


class InvalidTransactionInBlock(InvalidBlock):
    """A transaction of the block breaks a validity rule."""

    def __init__(
        self, number: int, index: int, tx_hash: bytes, reason: str, inferences: Inferences = ()
    ) -> None:
        super().__init__(f"block {number}: transaction {index} ({shown(tx_hash)}): {reason}")
        self.inferences = inferences


class ExecutionDisagrees(InvalidBlock):
    """Executing the block gives another value than the header shows."""

    def __init__(
        self,
        number: int,
        field: str,
        ours: object,
        header: object,
        inferences: Inferences = (),
    ) -> None:
        ran = "".join(
            f"; transaction {shown(tx_hash)} ran model {shown(call.model_id)}"
            for tx_hash, call in inferences
        )
        super().__init__(
            f"block {number}: execution gives {field} {shown(ours)}, "
            f"the header says {shown(header)}{ran}"
        )
        self.field = field
        self.inferences = inferences


class InferenceGasExceeded(InvalidBlock):
    """The block's inference gas is over the cap (PROTOCOL section 1)."""

    def __init__(self, number: int, gas: int, cap: int, inferences: Inferences = ()) -> None:
        super().__init__(f"block {number}: inference gas {gas} is over the cap of {cap}")
        self.inferences = inferences


class InferenceGasTooHigh(InvalidTransaction):
    """One transaction runs more inference than any block may hold."""

    def __init__(self, gas: int, cap: int) -> None:
        super().__init__(
            f"inference of {gas} gas in one transaction, a block holds at most {cap}: "
            "use smaller batches"
        )


class RequestsFailed(InvalidBlock):
    """A block's requests could not be made: a call failed, or a deposit is malformed."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"block {number}: requests: {reason}")


class BadCertificate(InvalidBlock):
    """The commit certificate does not prove the block final."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"block {number}: commit certificate: {reason}")


def shown(value: object) -> object:
    """Return bytes as 0x-hex, anything else as it is."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else value
