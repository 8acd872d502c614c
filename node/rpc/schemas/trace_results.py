"""What the methods that trace give back, and the bytes of the chain."""

from node.rpc.schemas.components import DATA, HASH
from node.rpc.schemas.forms import (
    BOOLEAN,
    INTEGER,
    NULL,
    TEXT,
    Schema,
    array,
    fields,
    mapping,
    nullable,
    one_of_words,
    record,
)

STEP = record(
    {"pc": INTEGER, "op": TEXT, "gas": INTEGER, "gasCost": INTEGER, "depth": INTEGER},
    {
        "error": TEXT,
        "memory": array(HASH),
        "refund": INTEGER,
        "returnData": DATA,
        "stack": array(TEXT),
        "storage": mapping(HASH),
    },
)
STRUCT_TRACE = record(
    {"gas": INTEGER, "failed": BOOLEAN, "returnValue": DATA, "structLogs": array(STEP)}
)
TRACE: Schema = {"anyOf": [STRUCT_TRACE, {"description": "What the tracer that is named gives"}]}
BLOCK_TRACE = array(record({"txHash": HASH, "result": TRACE}))

FLAT_TRACE = record(
    {
        "action": mapping(TEXT),
        "subtraces": INTEGER,
        "traceAddress": array(INTEGER),
        "type": one_of_words("call", "create", "suicide"),
    },
    {
        "blockHash": HASH,
        "blockNumber": INTEGER,
        "error": TEXT,
        "result": nullable(mapping(TEXT)),
        "transactionHash": HASH,
        "transactionPosition": INTEGER,
    },
)

DIFFERENCE: Schema = {"description": "= or an object of *, + or -, with what was and what is"}
ACCOUNT_DIFFERENCE = record(
    {**fields(DIFFERENCE, ("balance", "code", "nonce")), "storage": mapping(DIFFERENCE)}
)
REPLAY_FIELDS: dict[str, Schema] = {
    "output": DATA,
    "stateDiff": nullable(mapping(ACCOUNT_DIFFERENCE)),
    "trace": array(FLAT_TRACE),
    "vmTrace": NULL,
}
REPLAY = record(REPLAY_FIELDS)

TRACE_RESULTS: dict[str, Schema] = {
    "debug_getRawBlock": DATA,
    "debug_getRawHeader": DATA,
    "debug_getRawReceipts": array(DATA),
    "debug_getRawTransaction": DATA,
    "debug_traceBlockByHash": BLOCK_TRACE,
    "debug_traceBlockByNumber": BLOCK_TRACE,
    "debug_traceCall": TRACE,
    "debug_traceTransaction": TRACE,
    "trace_block": nullable(array(FLAT_TRACE)),
    "trace_call": REPLAY,
    "trace_callMany": array(REPLAY),
    "trace_filter": array(FLAT_TRACE),
    "trace_get": nullable(FLAT_TRACE),
    "trace_rawTransaction": REPLAY,
    "trace_replayBlockTransactions": nullable(
        array(record({**REPLAY_FIELDS, "transactionHash": HASH}))
    ),
    "trace_replayTransaction": nullable(REPLAY),
    "trace_transaction": nullable(array(FLAT_TRACE)),
}
