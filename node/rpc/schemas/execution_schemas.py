"""What the methods that execute take and give back."""

from node.rpc.eth_proof import parse_slots
from node.rpc.eth_simulate import parse_options
from node.rpc.override_parameters import parse_block_overrides, parse_state_overrides
from node.rpc.registry import Parser
from node.rpc.schemas.components import (
    ADDRESS,
    CALL,
    DATA,
    HASH,
    HEADER_FIELDS,
    LATER_HEADER_FIELDS,
    LOG,
    QUANTITY,
    TRANSACTION,
)
from node.rpc.schemas.forms import (
    BOOLEAN,
    INTEGER,
    TEXT,
    Schema,
    array,
    either,
    fields,
    mapping,
    record,
    ref,
)
from node.rpc.testing import parse_attributes, parse_transactions

WITHDRAWALS = array(ref("Withdrawal"))
STATE_OVERRIDES = mapping(
    record(
        {},
        {
            **fields(QUANTITY, ("nonce", "balance")),
            "code": ref("AnyData"),
            "movePrecompileToAddress": ADDRESS,
            **fields(mapping(ref("AnyHash")), ("state", "stateDiff")),
        },
    )
)
BLOCK_OVERRIDES = record(
    {},
    {
        **fields(QUANTITY, ("number", "difficulty", "time", "timestamp", "gasLimit")),
        **fields(QUANTITY, ("baseFeePerGas", "baseFee", "blobBaseFee")),
        **fields(ADDRESS, ("feeRecipient", "coinbase")),
        **fields(ref("AnyHash"), ("prevRandao", "random", "beaconRoot")),
        "withdrawals": WITHDRAWALS,
    },
)
BLOCK_OF_CALLS = record(
    {},
    {"blockOverrides": BLOCK_OVERRIDES, "stateOverrides": STATE_OVERRIDES, "calls": array(CALL)},
)

EXECUTION_ARGUMENTS: dict[Parser, Schema] = {
    parse_attributes: record(
        {"timestamp": QUANTITY},
        {
            **fields(ref("AnyHash"), ("prevRandao", "parentBeaconBlockRoot")),
            "suggestedFeeRecipient": ADDRESS,
            "withdrawals": WITHDRAWALS,
        },
    ),
    parse_block_overrides: BLOCK_OVERRIDES,
    parse_options: record(
        {"blockStateCalls": array(BLOCK_OF_CALLS)},
        fields(BOOLEAN, ("validation", "traceTransfers", "returnFullTransactions")),
    ),
    parse_slots: array(ref("StorageSlot")),
    parse_state_overrides: STATE_OVERRIDES,
    parse_transactions: array(ref("AnyData")),
}

CALL_RESULT = record(
    {
        "returnData": DATA,
        "logs": array(LOG),
        **fields(QUANTITY, ("gasUsed", "maxUsedGas", "status")),
    },
    {"error": record({"code": INTEGER, "message": TEXT}, {"data": DATA})},
)
PAYLOAD = record(
    {
        **fields(HASH, ("parentHash", "stateRoot", "receiptsRoot", "prevRandao", "blockHash")),
        **fields(QUANTITY, ("blockNumber", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas")),
        **fields(QUANTITY, ("blobGasUsed", "excessBlobGas")),
        "feeRecipient": ADDRESS,
        "logsBloom": ref("Bloom"),
        "extraData": DATA,
        "transactions": array(DATA),
        "withdrawals": WITHDRAWALS,
    }
)

EXECUTION_RESULTS: dict[str, Schema] = {
    "cvm_infer": record({"output": DATA, "gasUsed": QUANTITY}),
    "eth_createAccessList": record(
        {"accessList": ref("AccessList"), "gasUsed": QUANTITY}, {"error": TEXT}
    ),
    "eth_getProof": record(
        {
            "address": ADDRESS,
            "accountProof": array(DATA),
            **fields(QUANTITY, ("balance", "nonce")),
            **fields(HASH, ("codeHash", "storageHash")),
            "storageProof": array(
                record(
                    {
                        "key": either(QUANTITY, ref("Word")),
                        "value": QUANTITY,
                        "proof": array(DATA),
                    }
                )
            ),
        }
    ),
    "eth_simulateV1": array(
        record(
            {
                **HEADER_FIELDS,
                "size": QUANTITY,
                "transactions": either(array(HASH), array(TRANSACTION)),
                "uncles": array(HASH),
                "calls": array(CALL_RESULT),
            },
            {**LATER_HEADER_FIELDS, "withdrawals": WITHDRAWALS},
        )
    ),
    "testing_buildBlockV1": record(
        {
            "executionPayload": PAYLOAD,
            "blockValue": QUANTITY,
            "blobsBundle": record(fields(array(DATA), ("commitments", "proofs", "blobs"))),
            "executionRequests": array(DATA),
            "shouldOverrideBuilder": BOOLEAN,
        }
    ),
}
