"""What each parser of a parameter takes, as JSON Schema."""

from node.rpc.admin import parse_enode_text
from node.rpc.call_parameters import parse_call
from node.rpc.cvm_inference_search import parse_inference_filter
from node.rpc.cvm_inferences import parse_trace_request
from node.rpc.eth_account import parse_slot_request
from node.rpc.eth_fee import parse_percentiles
from node.rpc.eth_filters import parse_filter_id
from node.rpc.eth_sign import parse_wish
from node.rpc.eth_subscribe import parse_id, parse_name, parse_options
from node.rpc.log_filter import parse_log_filter
from node.rpc.ots_blocks import parse_any_block
from node.rpc.parameters import (
    parse_address,
    parse_block_number,
    parse_block_reference,
    parse_count,
    parse_data,
    parse_flag,
    parse_hash,
    parse_hashes,
    parse_storage_slot,
    parse_uint64,
)
from node.rpc.registry import Parser
from node.rpc.schemas.components import ADDRESS, BLOCK_REFERENCE, CALL, FILTER, QUANTITY
from node.rpc.schemas.dev_schemas import DEV_ARGUMENTS
from node.rpc.schemas.execution_schemas import BLOCK_OVERRIDES, EXECUTION_ARGUMENTS, STATE_OVERRIDES
from node.rpc.schemas.forms import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    NUMBER,
    TEXT,
    Schema,
    array,
    either,
    fields,
    mapping,
    one_of_words,
    record,
    ref,
)
from node.rpc.trace import KINDS, parse_kinds, parse_messages, parse_place, parse_trace_filter
from node.rpc.typed_data import parse_typed_data
from node.tracing.call_config import parse_call_config
from node.tracing.trace_config import parse_trace_config

TYPED_DATA = record(
    {
        "types": mapping(array(record({"name": TEXT, "type": TEXT}))),
        "primaryType": TEXT,
        "domain": mapping(ANYTHING),
        "message": mapping(ANYTHING),
    }
)
TRACE_OPTIONS: dict[str, Schema] = {
    "tracer": TEXT,
    "tracerConfig": mapping(ANYTHING),
    "timeout": TEXT,
    "limit": INTEGER,
    **fields(BOOLEAN, ("enableMemory", "disableStack", "disableStorage", "enableReturnData")),
}
TRACE_CONFIG = record({}, TRACE_OPTIONS)
CALL_TRACE_CONFIG = record(
    {},
    {
        **TRACE_OPTIONS,
        "stateOverrides": STATE_OVERRIDES,
        "blockOverrides": BLOCK_OVERRIDES,
        "txIndex": QUANTITY,
    },
)
SUBSCRIPTIONS = ("newHeads", "logs", "newPendingTransactions", "syncing")

ARGUMENT_SCHEMAS: dict[Parser, Schema] = {
    **EXECUTION_ARGUMENTS,
    **DEV_ARGUMENTS,
    parse_address: ADDRESS,
    parse_any_block: either(BLOCK_REFERENCE, INTEGER),
    parse_block_number: ref("BlockNumber"),
    parse_block_reference: BLOCK_REFERENCE,
    parse_call: CALL,
    parse_count: either(QUANTITY, INTEGER, ref("Decimal")),
    parse_data: ref("AnyData"),
    parse_enode_text: TEXT,
    parse_filter_id: TEXT,
    parse_flag: BOOLEAN,
    parse_hash: ref("AnyHash"),
    parse_hashes: array(ref("AnyHash")),
    parse_id: TEXT,
    parse_inference_filter: record(
        {},
        {
            "fromBlock": ref("BlockNumber"),
            "toBlock": ref("BlockNumber"),
            "modelId": ref("AnyHash"),
            "owner": ADDRESS,
            "from": ADDRESS,
            "to": ADDRESS,
        },
    ),
    parse_log_filter: FILTER,
    parse_name: one_of_words(*SUBSCRIPTIONS),
    parse_options: either(BOOLEAN, FILTER),
    parse_percentiles: array({**NUMBER, "minimum": 0, "maximum": 100}),
    parse_slot_request: mapping(array(ref("StorageSlot"))),
    parse_storage_slot: ref("StorageSlot"),
    parse_call_config: CALL_TRACE_CONFIG,
    parse_trace_config: TRACE_CONFIG,
    parse_messages: array(array(either(CALL, array(one_of_words(*KINDS))))),
    parse_kinds: array(one_of_words(*KINDS)),
    parse_place: array(either(QUANTITY, INTEGER, ref("Decimal"))),
    parse_trace_filter: record(
        {},
        {
            **fields(ref("BlockNumber"), ("fromBlock", "toBlock")),
            **fields(array(ADDRESS), ("fromAddress", "toAddress")),
            **fields(either(QUANTITY, INTEGER, ref("Decimal")), ("after", "count")),
        },
    ),
    parse_trace_request: record({}, {"nodes": BOOLEAN, "index": QUANTITY}),
    parse_uint64: QUANTITY,
    parse_typed_data: either(TEXT, TYPED_DATA),
    parse_wish: CALL,
}
"""By the parser that stands in a method's annotation."""
