"""Why a transaction is refused: one class per broken rule, worded as geth words it.

* InvalidTransaction - it can stand in no block on this state; clients parse the words
* TransactionVetoed  - it is valid, but the builder of this block does not keep it
"""


class TransactionVetoed(Exception):
    """The builder's rule spoke against a transaction that has run; it was rolled back."""


class InvalidTransaction(Exception):
    """The transaction breaks a validity rule."""


class MalformedTransaction(InvalidTransaction):
    """The bytes are not a signed transaction."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"rlp: cannot decode transaction: {reason}")


class TransactionTypeNotSupported(InvalidTransaction):
    """The EIP-2718 type is not valid in our own blocks (type 3 carries blobs)."""

    def __init__(self, type_id: int) -> None:
        super().__init__(f"transaction type not supported: {type_id}")


class WrongChainId(InvalidTransaction):
    """The transaction was signed for another chain (EIP-155)."""

    def __init__(self, have: int, want: int) -> None:
        super().__init__(f"invalid chain id for signer: have {have} want {want}")


class InvalidSignature(InvalidTransaction):
    """The signature does not recover to an address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid transaction v, r, s values: {reason}")


class NonceTooLow(InvalidTransaction):
    """The nonce was used before."""

    def __init__(self, sender: bytes, tx_nonce: int, state_nonce: int) -> None:
        super().__init__(
            f"nonce too low: address 0x{sender.hex()}, tx: {tx_nonce} state: {state_nonce}"
        )


class NonceTooHigh(InvalidTransaction):
    """The nonce leaves a gap."""

    def __init__(self, sender: bytes, tx_nonce: int, state_nonce: int) -> None:
        super().__init__(
            f"nonce too high: address 0x{sender.hex()}, tx: {tx_nonce} state: {state_nonce}"
        )


class NonceAtMaximum(InvalidTransaction):
    """EIP-2681: the nonce may not reach 2**64 - 1."""

    def __init__(self, nonce: int) -> None:
        super().__init__(f"nonce has max value: {nonce}")


class SenderNotEoa(InvalidTransaction):
    """EIP-3607: an account with code, other than a 7702 delegation, cannot send."""

    def __init__(self, sender: bytes, code_size: int) -> None:
        super().__init__(f"sender not an eoa: address 0x{sender.hex()}, len(code): {code_size}")


class TipAboveFeeCap(InvalidTransaction):
    """EIP-1559: the tip may not exceed the fee cap."""

    def __init__(self, tip: int, fee_cap: int) -> None:
        super().__init__(
            "max priority fee per gas higher than max fee per gas: "
            f"maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee_cap}"
        )


class FeeCapTooLow(InvalidTransaction):
    """EIP-1559: the fee cap does not reach the base fee of the block."""

    def __init__(self, fee_cap: int, base_fee: int) -> None:
        super().__init__(
            "max fee per gas less than block base fee: "
            f"maxFeePerGas: {fee_cap}, baseFee: {base_fee}"
        )


class InsufficientFunds(InvalidTransaction):
    """The balance does not cover gas * fee cap + value."""

    def __init__(self, sender: bytes, have: int, want: int) -> None:
        super().__init__(
            "insufficient funds for gas * price + value: "
            f"address 0x{sender.hex()} have {have} want {want}"
        )


class IntrinsicGasTooLow(InvalidTransaction):
    """The gas limit does not cover the transaction's own cost."""

    def __init__(self, have: int, want: int) -> None:
        super().__init__(f"intrinsic gas too low: have {have}, want {want}")


class FloorDataGasTooLow(InvalidTransaction):
    """EIP-7623: the gas limit does not cover the calldata floor."""

    def __init__(self, have: int, want: int) -> None:
        super().__init__(f"insufficient gas for floor data gas cost: have {have}, want {want}")


class InitcodeTooLarge(InvalidTransaction):
    """EIP-3860: the initcode is longer than 49,152 bytes."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"max initcode size exceeded: code size {size} limit {limit}")


class TransactionGasTooHigh(InvalidTransaction):
    """EIP-7825: one transaction may ask for 2**24 gas at most."""

    def __init__(self, have: int, cap: int) -> None:
        super().__init__(f"transaction gas limit too high (cap: {cap}, tx: {have})")


class BlockGasExceeded(InvalidTransaction):
    """The transaction does not fit the gas that is left in the block."""

    def __init__(self, tx_gas: int, gas_left: int) -> None:
        super().__init__(f"gas limit reached: tx asks for {tx_gas}, the block has {gas_left} left")


class MissingBlobHashes(InvalidTransaction):
    """EIP-4844: a blob transaction names at least one blob."""

    def __init__(self) -> None:
        super().__init__("blob transaction missing blob hashes")


class TooManyBlobs(InvalidTransaction):
    """EIP-4844 and EIP-7594: one transaction names more blobs than the fork allows."""

    def __init__(self, have: int, permitted: int) -> None:
        super().__init__(f"blob transaction has too many blobs: have {have}, permitted {permitted}")


class BadBlobHashVersion(InvalidTransaction):
    """EIP-4844: a versioned hash opens with the byte 0x01."""

    def __init__(self, place: int, version: int, expected: int) -> None:
        super().__init__(
            f"blob {place} has invalid hash version: have {version}, supported: {expected}"
        )


class BlobTransactionCreates(InvalidTransaction):
    """EIP-4844: a blob transaction has a destination."""

    def __init__(self) -> None:
        super().__init__("blob transaction of type create")


class BlobFeeCapTooLow(InvalidTransaction):
    """EIP-4844: the blob fee cap does not reach the blob base fee of the block."""

    def __init__(self, fee_cap: int, base_fee: int) -> None:
        super().__init__(
            "max fee per blob gas less than block blob gas fee: "
            f"maxFeePerBlobGas: {fee_cap}, blobBaseFee: {base_fee}"
        )


class BlobGasExceeded(InvalidTransaction):
    """EIP-4844: the blobs do not fit the blob gas that is left in the block."""

    def __init__(self, tx_gas: int, gas_left: int) -> None:
        super().__init__(f"blob gas limit reached: tx uses {tx_gas}, the block has {gas_left} left")


class BadAuthorizationList(InvalidTransaction):
    """EIP-7702: a type-4 transaction needs authorizations and a destination."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"EIP-7702 transaction with {reason}")
