"""Why a plain Ethereum block is refused: one class per broken rule, each with both values.

* UnsupportedFork         the rules of a block's fork are not here; it is not judged
* UnknownParent           the parent is not here; the block is not judged
* consensus.faults.InvalidBlock
  - FieldMissing, FieldOfLaterFork
  - WrongNumber, WrongParentHash, TimestampNotLater
  - GasLimitTooLow, GasLimitTooHigh, GasLimitJumps, GasUsedAboveLimit, WrongBaseFee
  - DifficultyNotZero, NonceNotZero, OmmersNotEmpty
  - WrongDifficulty, WrongDaoExtraData, WrongOmmersHash, TooManyOmmers, OmmerAlreadyThere,
    OmmerIsAncestor, OmmerOfStranger, InvalidOmmer: blocks of proof of work
  - BlobGasAboveLimit, BlobGasNotWhole, WrongExcessBlobGas
  - BlockTooLarge, WrongTransactionsRoot, WrongWithdrawalsRoot
  - NoRequestContract
  - WrongGasUsed, WrongBloom, WrongReceiptsRoot, WrongStateRoot, WrongBlobGasUsed,
    WrongRequestsHash
  - MalformedBlock, ExtraDataTooLong, InvalidTransactionInBlock of `consensus.faults`
"""

from consensus.faults import InvalidBlock, shown


class UnsupportedFork(Exception):
    """A block of this height and time follows rules that are not here."""

    def __init__(self, name: str, number: int, timestamp: int) -> None:
        super().__init__(
            f"block {number} at time {timestamp} follows the rules of {name}, which are not here"
        )


class UnknownParent(Exception):
    """The parent of a block is not in the chain here."""

    def __init__(self, number: int, parent_hash: bytes) -> None:
        super().__init__(f"block {number}: its parent {shown(parent_hash)} is not here")


class FieldMissing(InvalidBlock):
    """The header lacks a field of its fork."""

    def __init__(self, number: int, field: str, fork: str) -> None:
        super().__init__(f"block {number}: {field} is missing, {fork} has it")


class FieldOfLaterFork(InvalidBlock):
    """The header or the body shows a field that its fork does not have."""

    def __init__(self, number: int, field: str, fork: str) -> None:
        super().__init__(f"block {number}: {field} is there, {fork} does not have it")


class WrongField(InvalidBlock):
    """A field differs from its only right value; each has its class below."""

    field = ""

    def __init__(self, number: int, actual: object, expected: object) -> None:
        super().__init__(
            f"block {number}: {self.field} is {shown(actual)}, must be {shown(expected)}"
        )


class WrongNumber(WrongField):
    """The height is not the parent's plus one."""

    field = "number"


class WrongParentHash(WrongField):
    """The header names another parent."""

    field = "parentHash"


class WrongBaseFee(WrongField):
    """The base fee is not that of EIP-1559."""

    field = "baseFeePerGas"


class DifficultyNotZero(WrongField):
    """EIP-3675: blocks of proof of stake have no difficulty."""

    field = "difficulty"


class NonceNotZero(WrongField):
    """EIP-3675: blocks of proof of stake have no nonce."""

    field = "nonce"


class OmmersNotEmpty(WrongField):
    """EIP-3675: blocks of proof of stake have no ommers."""

    field = "sha3Uncles"


class WrongDifficulty(WrongField):
    """The difficulty does not follow from the parent and the time (Yellow Paper 41 to 46)."""

    field = "difficulty"


class WrongDaoExtraData(WrongField):
    """The first ten blocks of the DAO fork carry its name (EIP-779)."""

    field = "extraData"


class WrongExcessBlobGas(WrongField):
    """The excess blob gas does not follow from the parent (EIP-4844, EIP-7691, EIP-7918)."""

    field = "excessBlobGas"


class TimestampNotLater(InvalidBlock):
    """The block is not younger than its parent."""

    def __init__(self, number: int, actual: int, parent: int) -> None:
        super().__init__(f"block {number}: timestamp {actual} is not after the parent's {parent}")


class TooManyOmmers(InvalidBlock):
    """The block has more than two ommers (Yellow Paper 166)."""

    def __init__(self, number: int, actual: int, most: int) -> None:
        super().__init__(f"block {number}: {actual} ommers, at most {most}")


class OmmerAlreadyThere(InvalidBlock):
    """An ommer is in the block twice, or in one of the last ancestors (Yellow Paper 11.1)."""

    def __init__(self, number: int, ommer: bytes) -> None:
        super().__init__(f"block {number}: ommer {shown(ommer)} is there already")


class OmmerIsAncestor(InvalidBlock):
    """An ommer is a block of this very chain (Yellow Paper 11.1)."""

    def __init__(self, number: int, ommer: bytes) -> None:
        super().__init__(f"block {number}: ommer {shown(ommer)} is an ancestor")


class OmmerOfStranger(InvalidBlock):
    """The parent of an ommer is none of the ancestors 2 to 7 back (Yellow Paper 167)."""

    def __init__(self, number: int, ommer: bytes, parent: bytes) -> None:
        super().__init__(
            f"block {number}: ommer {shown(ommer)} has the parent {shown(parent)}, "
            "which is no ancestor 2 to 7 blocks back"
        )


class InvalidOmmer(InvalidBlock):
    """The header of an ommer breaks a rule of headers; the cause says which."""

    def __init__(self, number: int, ommer: bytes, reason: str) -> None:
        super().__init__(f"block {number}: ommer {shown(ommer)}: {reason}")


class GasLimitTooLow(InvalidBlock):
    """The gas limit is below the least one (Yellow Paper 47)."""

    def __init__(self, number: int, actual: int, least: int) -> None:
        super().__init__(f"block {number}: gas limit {actual} is below {least}")


class GasLimitTooHigh(InvalidBlock):
    """The gas limit is above 2**63 - 1 (EIP-1985)."""

    def __init__(self, number: int, actual: int, most: int) -> None:
        super().__init__(f"block {number}: gas limit {actual} is above {most}")


class GasLimitJumps(InvalidBlock):
    """The gas limit differs from the parent's by 1/1024 or more (Yellow Paper 45 and 46)."""

    def __init__(self, number: int, actual: int, parent: int) -> None:
        super().__init__(
            f"block {number}: gas limit {actual} is too far from the parent's {parent}"
        )


class GasUsedAboveLimit(InvalidBlock):
    """The header shows more gas than its limit."""

    def __init__(self, number: int, used: int, limit: int) -> None:
        super().__init__(f"block {number}: gas used {used} is over the limit of {limit}")


class BlobGasAboveLimit(InvalidBlock):
    """The header shows more blob gas than its fork allows (EIP-4844, EIP-7691)."""

    def __init__(self, number: int, used: int, limit: int) -> None:
        super().__init__(f"block {number}: blob gas used {used} is over the limit of {limit}")


class BlobGasNotWhole(InvalidBlock):
    """The header shows blob gas that no whole number of blobs uses (EIP-4844)."""

    def __init__(self, number: int, used: int, per_blob: int) -> None:
        super().__init__(f"block {number}: blob gas used {used} is no multiple of {per_blob}")


class BlockTooLarge(InvalidBlock):
    """The block's RLP is longer than EIP-7934 allows."""

    def __init__(self, number: int, size_bytes: int, limit: int) -> None:
        super().__init__(f"block {number}: {size_bytes} bytes, at most {limit}")


class WrongRoot(InvalidBlock):
    """What the body or the execution gives is not what the header says; classes below."""

    field = ""

    def __init__(self, number: int, ours: object, header: object) -> None:
        super().__init__(
            f"block {number}: {self.field} is {shown(ours)}, the header says {shown(header)}"
        )


class WrongTransactionsRoot(WrongRoot):
    """The transactions are not those of the header."""

    field = "transactionsRoot of the body"


class WrongOmmersHash(WrongRoot):
    """The ommers are not those of the header."""

    field = "sha3Uncles of the body"


class WrongWithdrawalsRoot(WrongRoot):
    """The withdrawals are not those of the header (EIP-4895)."""

    field = "withdrawalsRoot of the body"


class WrongGasUsed(WrongRoot):
    """Execution uses another amount of gas."""

    field = "gasUsed of the execution"


class WrongBloom(WrongRoot):
    """Execution gives another filter of logs."""

    field = "logsBloom of the execution"


class WrongReceiptsRoot(WrongRoot):
    """Execution gives other receipts."""

    field = "receiptsRoot of the execution"


class WrongStateRoot(WrongRoot):
    """Execution ends in another state."""

    field = "stateRoot of the execution"


class WrongBlobGasUsed(WrongRoot):
    """The transactions use another amount of blob gas (EIP-4844)."""

    field = "blobGasUsed of the execution"


class WrongRequestsHash(WrongRoot):
    """Execution makes other requests (EIP-7685)."""

    field = "requestsHash of the execution"


class NoRequestContract(InvalidBlock):
    """A contract that must give requests has no code (EIP-7002, EIP-7251)."""

    def __init__(self, number: int, address: bytes) -> None:
        super().__init__(f"block {number}: no code at {shown(address)}, which must give requests")
