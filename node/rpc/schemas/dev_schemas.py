"""What the methods of a development chain take and give back."""

from node.rpc.dev_parameters import (
    parse_block_count,
    parse_code,
    parse_mine_options,
    parse_number,
    parse_reset_options,
    parse_small_number,
    parse_word,
)
from node.rpc.registry import Parser
from node.rpc.schemas.components import HASH, QUANTITY
from node.rpc.schemas.forms import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    NULL,
    TEXT,
    Schema,
    either,
    fields,
    mapping,
    nullable,
    record,
    ref,
)

ANY_NUMBER = either(INTEGER, TEXT)
NODE_INFO = record(
    {
        "currentBlockNumber": QUANTITY,
        "currentBlockTimestamp": INTEGER,
        "currentBlockHash": HASH,
        "hardFork": TEXT,
        "transactionOrder": TEXT,
        "environment": record(
            {"chainId": INTEGER, **fields(QUANTITY, ("baseFee", "gasLimit", "gasPrice"))}
        ),
        "forkConfig": record(fields(NULL, ("forkUrl", "forkBlockNumber", "forkRetryBackoff"))),
    }
)
METADATA = record(
    {
        "clientVersion": TEXT,
        "chainId": INTEGER,
        "instanceId": HASH,
        "latestBlockNumber": INTEGER,
        "latestBlockHash": HASH,
        "forkedNetwork": NULL,
        "snapshots": mapping(
            {"type": "array", "items": either(INTEGER, HASH), "description": "Number and hash"}
        ),
    }
)

DEV_ARGUMENTS: dict[Parser, Schema] = {
    parse_block_count: ANY_NUMBER,
    parse_code: TEXT,
    parse_mine_options: either(
        ANY_NUMBER, record({}, {"timestamp": ANY_NUMBER, "blocks": ANY_NUMBER})
    ),
    parse_number: ANY_NUMBER,
    parse_reset_options: record({}, {"forking": ANYTHING}),
    parse_small_number: ANY_NUMBER,
    parse_word: ref("AnyData"),
}
NOTHING_BACK = (
    *("anvil_addBalance", "anvil_autoImpersonateAccount", "anvil_dropAllTransactions"),
    *("anvil_impersonateAccount", "anvil_mine", "anvil_removePoolTransactions", "anvil_reset"),
    *("anvil_setAutomine", "anvil_setBalance", "anvil_setBlockTimestampInterval"),
    *("anvil_setCode", "anvil_setIntervalMining", "anvil_setNextBlockBaseFeePerGas"),
    *("anvil_setNextBlockTimestamp", "anvil_setNonce", "anvil_stopImpersonatingAccount"),
    *("evm_setAccountNonce", "evm_setAutomine", "evm_setIntervalMining"),
    *("evm_setNextBlockTimestamp", "hardhat_autoImpersonateAccount"),
    *("hardhat_impersonateAccount", "hardhat_mine", "hardhat_reset", "hardhat_setAutomine"),
    *("hardhat_setBalance", "hardhat_setCode", "hardhat_setNextBlockBaseFeePerGas"),
    *("hardhat_setNonce", "hardhat_stopImpersonatingAccount"),
)
DEV_RESULTS: dict[str, Schema] = {
    **dict.fromkeys(NOTHING_BACK, NULL),
    "anvil_dropTransaction": nullable(HASH),
    "anvil_getAutomine": BOOLEAN,
    "anvil_getIntervalMining": nullable(INTEGER),
    "anvil_metadata": METADATA,
    "anvil_nodeInfo": NODE_INFO,
    "anvil_removeBlockTimestampInterval": BOOLEAN,
    "anvil_revert": BOOLEAN,
    "anvil_setStorageAt": BOOLEAN,
    "anvil_setTime": INTEGER,
    "anvil_snapshot": QUANTITY,
    "evm_increaseTime": INTEGER,
    "evm_mine": QUANTITY,
    "evm_revert": BOOLEAN,
    "evm_setTime": INTEGER,
    "evm_snapshot": QUANTITY,
    "hardhat_dropTransaction": nullable(HASH),
    "hardhat_getAutomine": BOOLEAN,
    "hardhat_metadata": METADATA,
    "hardhat_setStorageAt": BOOLEAN,
}
