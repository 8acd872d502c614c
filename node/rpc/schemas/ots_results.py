"""What the methods of Otterscan's API give back."""

from node.rpc.schemas.components import (
    ADDRESS,
    DATA,
    HASH,
    HEADER_FIELDS,
    LATER_HEADER_FIELDS,
    OPTIONAL_RECEIPT_FIELDS,
    QUANTITY,
    RECEIPT_FIELDS,
    TRANSACTION,
)
from node.rpc.schemas.forms import (
    BOOLEAN,
    INTEGER,
    NULL,
    TEXT,
    Schema,
    array,
    fields,
    nullable,
    record,
    ref,
)

SLIM_BLOCK_FIELDS: dict[str, Schema] = {
    **HEADER_FIELDS,
    "logsBloom": NULL,
    "size": QUANTITY,
    "transactionCount": INTEGER,
    "uncles": array(HASH),
}
LATER_FIELDS: dict[str, Schema] = {
    **LATER_HEADER_FIELDS,
    "withdrawals": array(ref("Withdrawal")),
}
DETAILS = nullable(
    record(
        {
            "block": record(SLIM_BLOCK_FIELDS, LATER_FIELDS),
            "issuance": record(fields(QUANTITY, ("blockReward", "uncleReward", "issuance"))),
            "totalFees": QUANTITY,
        }
    )
)
FOUND = record(
    {
        "txs": array(TRANSACTION),
        "receipts": array(
            record({**RECEIPT_FIELDS, "timestamp": QUANTITY}, OPTIONAL_RECEIPT_FIELDS)
        ),
        "firstPage": BOOLEAN,
        "lastPage": BOOLEAN,
    }
)

OTS_RESULTS: dict[str, Schema] = {
    "erigon_getHeaderByNumber": nullable(ref("Header")),
    "ots_getApiLevel": INTEGER,
    "ots_getBlockDetails": DETAILS,
    "ots_getBlockDetailsByHash": DETAILS,
    "ots_getBlockTransactions": nullable(
        record(
            {
                "fullblock": record(
                    {**SLIM_BLOCK_FIELDS, "transactions": array(TRANSACTION)}, LATER_FIELDS
                ),
                "receipts": array(
                    record(
                        {**RECEIPT_FIELDS, "logs": NULL, "logsBloom": NULL},
                        OPTIONAL_RECEIPT_FIELDS,
                    )
                ),
            }
        )
    ),
    "ots_getContractCreator": nullable(record({"hash": HASH, "creator": ADDRESS})),
    "ots_getInternalOperations": array(
        record({"type": INTEGER, "from": ADDRESS, "to": ADDRESS, "value": QUANTITY})
    ),
    "ots_getTransactionBySenderAndNonce": nullable(HASH),
    "ots_getTransactionError": DATA,
    "ots_hasCode": BOOLEAN,
    "ots_searchTransactionsAfter": FOUND,
    "ots_searchTransactionsBefore": FOUND,
    "ots_traceTransaction": array(
        record(
            {
                "type": TEXT,
                "depth": INTEGER,
                **fields(ADDRESS, ("from", "to")),
                "value": nullable(QUANTITY),
                **fields(DATA, ("input", "output")),
            }
        )
    ),
}
