"""What the methods that trace give back, and the bytes of the chain."""

from node.rpc.schemas.components import DATA, HASH
from node.rpc.schemas.forms import BOOLEAN, INTEGER, TEXT, Schema, array, mapping, record

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

TRACE_RESULTS: dict[str, Schema] = {
    "debug_getRawBlock": DATA,
    "debug_getRawHeader": DATA,
    "debug_getRawReceipts": array(DATA),
    "debug_getRawTransaction": DATA,
    "debug_traceBlockByHash": BLOCK_TRACE,
    "debug_traceBlockByNumber": BLOCK_TRACE,
    "debug_traceCall": TRACE,
    "debug_traceTransaction": TRACE,
}
