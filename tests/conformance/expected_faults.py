"""What the public suites call a broken rule, and the fault with which we refuse it.

Two suites, two vocabularies: ethereum/legacytests writes `TR_NoFunds`, execution-spec-tests
`TransactionException.INSUFFICIENT_ACCOUNT_FUNDS`. Several names with `|` between are alternatives.
"""

from consensus.ethereum.faults import (
    BlobGasAboveLimit,
    BlobGasNotWhole,
    BlockTooLarge,
    DifficultyNotZero,
    FieldMissing,
    FieldOfLaterFork,
    GasLimitJumps,
    GasLimitTooHigh,
    GasLimitTooLow,
    GasUsedAboveLimit,
    NoRequestContract,
    OmmerAlreadyThere,
    OmmerIsAncestor,
    OmmerOfStranger,
    OmmersNotEmpty,
    TimestampNotLater,
    TooManyOmmers,
    UnknownParent,
    WrongBaseFee,
    WrongBlobGasUsed,
    WrongBloom,
    WrongDaoExtraData,
    WrongDifficulty,
    WrongExcessBlobGas,
    WrongGasUsed,
    WrongNumber,
    WrongReceiptsRoot,
    WrongRequestsHash,
    WrongStateRoot,
    WrongTransactionsRoot,
    WrongWithdrawalsRoot,
)
from consensus.faults import ExtraDataTooLong, InvalidBlock, MalformedBlock, RequestsFailed
from cvm.evm.faults import (
    BadAuthorizationList,
    BadBlobHashVersion,
    BlobFeeCapTooLow,
    BlobGasExceeded,
    BlobTransactionCreates,
    BlockGasExceeded,
    FeeCapTooLow,
    FloorDataGasTooLow,
    InitcodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidTransaction,
    MissingBlobHashes,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TooManyBlobs,
    TransactionGasTooHigh,
    TransactionTypeNotSupported,
)

Faults = tuple[type[Exception], ...]

LEGACY: dict[str, Faults] = {
    "1559BlockImportImpossible_BaseFeeWrong": (WrongBaseFee,),
    "3675PreParis1559BlockRejected": (DifficultyNotZero, OmmersNotEmpty),
    "3675PoSBlockRejected": (WrongDifficulty,),
    "3675PoWBlockRejected": (DifficultyNotZero,),
    "ExtraDataIncorrectDAO": (WrongDaoExtraData,),
    "ExtraDataTooBig": (ExtraDataTooLong,),
    "InvalidDifficulty": (WrongDifficulty, DifficultyNotZero),
    "InvalidUncleParentHash": (OmmerOfStranger,),
    "TooManyUncles": (TooManyOmmers,),
    "UncleInChain": (OmmerAlreadyThere,),
    "UncleIsAncestor": (OmmerIsAncestor,),
    "UncleParentIsNotAncestor": (OmmerOfStranger,),
    "INPUT_UNMARSHAL_ERROR": (MalformedBlock,),
    "IntrinsicGas": (IntrinsicGasTooLow,),
    "InvalidGasLimit": (GasLimitTooLow, GasLimitTooHigh, GasLimitJumps),
    "InvalidGasLimit2": (GasLimitTooLow, GasLimitTooHigh, GasLimitJumps),
    "InvalidGasUsed": (WrongGasUsed,),
    "InvalidLogBloom": (WrongBloom,),
    "InvalidNumber": (WrongNumber,),
    "InvalidReceiptsStateRoot": (WrongReceiptsRoot,),
    "InvalidStateRoot": (WrongStateRoot,),
    "InvalidTimestampOlderParent": (TimestampNotLater,),
    "InvalidWithdrawals": (WrongWithdrawalsRoot,),
    "PostParisDifficultyIsNot0": (DifficultyNotZero,),
    "PostParisUncleHashIsNotEmpty": (OmmersNotEmpty,),
    "RLP_ExpectedAsList": (MalformedBlock, FieldMissing),
    "SenderNotEOA": (SenderNotEoa,),
    "TooMuchGasUsed": (GasUsedAboveLimit,),
    "TR_BLOBCREATE": (BlobTransactionCreates,),
    "TR_FeeCapLessThanBlocks": (FeeCapTooLow,),
    "TR_FeeCapLessThanBlocksORGasLimitReached": (FeeCapTooLow, BlockGasExceeded),
    "TR_FeeCapLessThanBlocksORNoFunds": (FeeCapTooLow, InsufficientFunds),
    "TR_GasLimitReached": (BlockGasExceeded,),
    "TR_InitCodeLimitExceeded": (InitcodeTooLarge,),
    "TR_IntrinsicGas": (IntrinsicGasTooLow,),
    "TR_NoFunds": (InsufficientFunds,),
    "TR_NoFundsOrGas": (InsufficientFunds, IntrinsicGasTooLow, BlockGasExceeded),
    "TR_NoFundsX": (InsufficientFunds,),
    "TR_NonceHasMaxValue": (NonceAtMaximum,),
    "TR_TipGtFeeCap": (TipAboveFeeCap,),
    "TR_TypeNotSupported": (TransactionTypeNotSupported,),
    "UnknownParent": (UnknownParent,),
    "UnknownParent2": (UnknownParent,),
}

TRANSACTIONS: dict[str, Faults] = {
    "GAS_ALLOWANCE_EXCEEDED": (BlockGasExceeded,),
    "GAS_LIMIT_EXCEEDS_MAXIMUM": (TransactionGasTooHigh,),
    "INITCODE_SIZE_EXCEEDED": (InitcodeTooLarge,),
    "INSUFFICIENT_ACCOUNT_FUNDS": (InsufficientFunds,),
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": (BlobFeeCapTooLow,),
    "INSUFFICIENT_MAX_FEE_PER_GAS": (FeeCapTooLow,),
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": (FloorDataGasTooLow,),
    "INTRINSIC_GAS_TOO_LOW": (IntrinsicGasTooLow, FloorDataGasTooLow),
    "NONCE_IS_MAX": (NonceAtMaximum,),
    "NONCE_MISMATCH_TOO_HIGH": (NonceTooHigh,),
    "NONCE_MISMATCH_TOO_LOW": (NonceTooLow,),
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": (TipAboveFeeCap,),
    "SENDER_NOT_EOA": (SenderNotEoa,),
    # The header shows the blob gas of a transaction too, and is read first, as geth does.
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": (TooManyBlobs, BlobGasAboveLimit),
    "TYPE_3_TX_CONTRACT_CREATION": (BlobTransactionCreates,),
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": (BadBlobHashVersion,),
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": (BlobGasExceeded,),
    "TYPE_3_TX_PRE_FORK": (TransactionTypeNotSupported,),
    "TYPE_3_TX_ZERO_BLOBS": (MissingBlobHashes,),
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": (BadAuthorizationList,),
    "TYPE_4_TX_CONTRACT_CREATION": (BadAuthorizationList,),
    "TYPE_4_TX_PRE_FORK": (TransactionTypeNotSupported,),
    "TYPE_NOT_SUPPORTED": (TransactionTypeNotSupported,),
}

BLOCKS: dict[str, Faults] = {
    "BLOB_GAS_USED_ABOVE_LIMIT": (BlobGasAboveLimit,),
    "EXTRA_DATA_TOO_BIG": (ExtraDataTooLong,),
    "GAS_USED_OVERFLOW": (BlockGasExceeded,),
    "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS": (OmmersNotEmpty,),
    "INCORRECT_BLOB_GAS_USED": (WrongBlobGasUsed, BlobGasNotWhole, BlobGasAboveLimit),
    "INCORRECT_BLOCK_FORMAT": (FieldMissing, FieldOfLaterFork, MalformedBlock),
    "INCORRECT_EXCESS_BLOB_GAS": (WrongExcessBlobGas,),
    "INVALID_BASEFEE_PER_GAS": (WrongBaseFee,),
    "INVALID_BLOCK_NUMBER": (WrongNumber,),
    "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT": (TimestampNotLater,),
    "INVALID_DEPOSIT_EVENT_LAYOUT": (RequestsFailed,),
    "INVALID_GAS_USED": (WrongGasUsed,),
    "INVALID_GAS_USED_ABOVE_LIMIT": (GasUsedAboveLimit,),
    "INVALID_GASLIMIT": (GasLimitTooLow, GasLimitTooHigh, GasLimitJumps),
    "INVALID_LOG_BLOOM": (WrongBloom,),
    "INVALID_RECEIPTS_ROOT": (WrongReceiptsRoot,),
    "INVALID_REQUESTS": (WrongRequestsHash,),
    "INVALID_STATE_ROOT": (WrongStateRoot,),
    "INVALID_TRANSACTIONS_ROOT": (WrongTransactionsRoot,),
    "INVALID_WITHDRAWALS_ROOT": (WrongWithdrawalsRoot,),
    "RLP_BLOCK_LIMIT_EXCEEDED": (BlockTooLarge,),
    "RLP_STRUCTURES_ENCODING": (MalformedBlock,),
    "SYSTEM_CONTRACT_CALL_FAILED": (RequestsFailed,),
    "SYSTEM_CONTRACT_EMPTY": (NoRequestContract,),
    "UNKNOWN_PARENT": (UnknownParent,),
}

FAULTS: dict[str, Faults] = {
    **LEGACY,
    **{f"TransactionException.{name}": faults for name, faults in TRANSACTIONS.items()},
    **{f"BlockException.{name}": faults for name, faults in BLOCKS.items()},
}


def wrong_reason(expected: str, fault: Exception) -> str | None:
    """Return why a fault is not the one that a suite names, or None.

    A block is refused for the fault of its transaction or its ommer, where there is one.
    """
    names = expected.split("|")
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        return f"nothing here stands for {unknown}"
    cause = fault.__cause__
    reasons = [fault, cause] if isinstance(cause, (InvalidTransaction, InvalidBlock)) else [fault]
    allowed = tuple(kind for name in names for kind in FAULTS[name])
    if any(isinstance(reason, allowed) for reason in reasons):
        return None
    return f"refused as {type(fault).__name__} ({str(fault)[:200]}), not for {expected}"
