"""The schemas that several methods share; forms of execution-apis where it has them."""

from node.rpc.schemas.forms import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    Schema,
    array,
    either,
    fields,
    hex_bytes,
    mapping,
    matching,
    nullable,
    one_of_words,
    record,
    ref,
)

QUANTITY = ref("Quantity")
DATA = ref("Data")
HASH = ref("Hash")
ADDRESS = ref("Address")
TRANSACTION = ref("Transaction")
BLOCK = ref("Block")
RECEIPT = ref("Receipt")
LOG = ref("Log")
BLOCK_REFERENCE = ref("BlockReference")
CALL = ref("Call")
FILTER = ref("Filter")
GAS = ref("InferenceGas")
MODEL = ref("Model")

TAGS = ("earliest", "finalized", "safe", "latest", "pending")

SCALARS: dict[str, Schema] = {
    "Quantity": matching("^0x(0|[1-9a-f][0-9a-f]*)$", "A number, without leading zeros"),
    "Data": matching("^0x([0-9a-f]{2})*$", "Bytes, two digits each"),
    "Decimal": matching("^(0|[1-9][0-9]*)$", "A number in decimal digits"),
    "Hash": hex_bytes(32, "32 bytes"),
    "Word": hex_bytes(32, "A word of 32 bytes"),
    "Bloom": hex_bytes(256, "A bloom filter of 2,048 bits"),
    "BlockNonce": hex_bytes(8, "Eight bytes"),
    "Signature": hex_bytes(65, "r, s and v"),
    "Address": matching("^0x[0-9a-fA-F]{40}$", "20 bytes"),
    "AnyData": matching("^0[xX]([0-9a-fA-F]{2})*$", "Bytes, two digits each, in either case"),
    "AnyHash": matching("^0[xX][0-9a-fA-F]{64}$", "32 bytes, digits in either case"),
    "StorageSlot": matching("^0[xX][0-9a-fA-F]{0,64}$", "At most 32 bytes"),
    "Ratio": {**NUMBER, "minimum": 0, "maximum": 1},
    "BlockTag": one_of_words(*TAGS),
}

ACCESS: dict[str, Schema] = {
    "AccessList": array(record({"address": ADDRESS, "storageKeys": array(HASH)})),
    "AuthorizationList": array(
        record({"address": ADDRESS, **fields(QUANTITY, ("chainId", "nonce", "yParity", "r", "s"))})
    ),
}

TRANSACTION_OF_ANY_TYPE = {
    "accessList": ref("AccessList"),
    "authorizationList": ref("AuthorizationList"),
    "blobVersionedHashes": array(HASH),
    **fields(
        QUANTITY,
        ("chainId", "maxFeePerBlobGas", "maxFeePerGas", "maxPriorityFeePerGas", "yParity", "v"),
    ),
}
UNSIGNED_FIELDS = {
    "input": DATA,
    **fields(QUANTITY, ("gas", "gasPrice", "nonce", "type", "value")),
}
PLACE_FIELDS = {
    "blockHash": nullable(HASH),
    **fields(nullable(QUANTITY), ("blockNumber", "blockTimestamp", "transactionIndex")),
}

HEADER_FIELDS = {
    **fields(HASH, ("hash", "mixHash", "parentHash", "receiptsRoot", "sha3Uncles")),
    **fields(HASH, ("stateRoot", "transactionsRoot")),
    **fields(QUANTITY, ("difficulty", "gasLimit", "gasUsed", "number", "timestamp")),
    "extraData": DATA,
    "logsBloom": ref("Bloom"),
    "miner": ADDRESS,
    "nonce": ref("BlockNonce"),
}
LATER_HEADER_FIELDS = {
    **fields(QUANTITY, ("baseFeePerGas", "blobGasUsed", "excessBlobGas")),
    **fields(HASH, ("parentBeaconBlockRoot", "requestsHash", "withdrawalsRoot")),
}

RECEIPT_FIELDS: dict[str, Schema] = {
    "blockHash": HASH,
    "contractAddress": nullable(ADDRESS),
    "from": ADDRESS,
    "logs": array(LOG),
    "logsBloom": ref("Bloom"),
    "to": nullable(ADDRESS),
    "transactionHash": HASH,
    **fields(QUANTITY, ("blockNumber", "cumulativeGasUsed", "effectiveGasPrice")),
    **fields(QUANTITY, ("gasUsed", "transactionIndex", "type")),
}
OPTIONAL_RECEIPT_FIELDS: dict[str, Schema] = {
    "root": HASH,
    **fields(QUANTITY, ("blobGasPrice", "blobGasUsed", "status")),
}

CHAIN: dict[str, Schema] = {
    "Withdrawal": record(
        {"address": ADDRESS, **fields(QUANTITY, ("amount", "index", "validatorIndex"))}
    ),
    "Transaction": record(
        {
            **UNSIGNED_FIELDS,
            **PLACE_FIELDS,
            "from": ADDRESS,
            "hash": HASH,
            "to": nullable(ADDRESS),
            **fields(QUANTITY, ("r", "s")),
        },
        TRANSACTION_OF_ANY_TYPE,
    ),
    "UnsignedTransaction": record(
        {**UNSIGNED_FIELDS, "to": nullable(ADDRESS)}, TRANSACTION_OF_ANY_TYPE
    ),
    "Block": record(
        {
            **HEADER_FIELDS,
            "size": QUANTITY,
            "transactions": either(array(HASH), array(TRANSACTION)),
            "uncles": array(HASH),
        },
        {**LATER_HEADER_FIELDS, "withdrawals": array(ref("Withdrawal"))},
    ),
    "Header": record(HEADER_FIELDS, LATER_HEADER_FIELDS),
    "Log": record(
        {
            "address": ADDRESS,
            "blockHash": HASH,
            "data": DATA,
            "removed": BOOLEAN,
            "topics": array(HASH),
            "transactionHash": HASH,
            **fields(QUANTITY, ("blockNumber", "blockTimestamp", "logIndex", "transactionIndex")),
        }
    ),
    "Receipt": record(RECEIPT_FIELDS, OPTIONAL_RECEIPT_FIELDS),
}

NODE: dict[str, Schema] = {
    "ForkSettings": record(
        {
            "activationTime": INTEGER,
            "blobSchedule": record(fields(INTEGER, ("baseFeeUpdateFraction", "max", "target"))),
            "chainId": QUANTITY,
            "forkId": hex_bytes(4, "Four bytes (EIP-6122)"),
            "precompiles": mapping(ADDRESS),
            "systemContracts": mapping(ADDRESS),
        }
    ),
    "Reach": record(
        {"disabled": BOOLEAN},
        {
            "oldestBlock": QUANTITY,
            "deleteStrategy": record({"type": one_of_words("window"), "retentionBlocks": QUANTITY}),
        },
    ),
    "Pool": mapping(mapping(TRANSACTION)),
}

MODELS: dict[str, Schema] = {
    "InferenceGas": record(
        fields(QUANTITY, ("base", "bytes", "compute", "load", "royalty", "total"))
    ),
    "Model": record(
        {
            "modelId": HASH,
            "owner": ADDRESS,
            "uri": TEXT,
            "status": one_of_words("pending", "active", "expired", "retired"),
            "batchable": nullable(BOOLEAN),
            "recordHash": nullable(HASH),
            "cost": nullable(ref("ModelCost")),
            **fields(QUANTITY, ("size", "royaltyGas", "nextRoyaltyGas", "deposit")),
            **fields(nullable(QUANTITY), ("royaltyHeight", "activationHeight", "engine")),
            **fields(nullable(QUANTITY), ("retirementHeight", "inputBytes", "outputBytes")),
            **fields(nullable(QUANTITY), ("gasPerItem", "loadGas")),
        }
    ),
    "ModelCost": record(
        {
            **fields(QUANTITY, ("float32Macs", "int8Macs", "elementwise", "transcendental")),
            **fields(QUANTITY, ("bytesMoved", "nodes", "weightBytes", "peakBytes")),
        }
    ),
    "TensorValue": record({"name": TEXT, "dtype": TEXT, "shape": array(QUANTITY)}),
}

ARGUMENTS: dict[str, Schema] = {
    "BlockNumber": either(QUANTITY, ref("BlockTag")),
    "BlockReference": either(
        QUANTITY,
        ref("BlockTag"),
        ref("AnyHash"),
        record({"blockHash": ref("AnyHash")}, {"requireCanonical": BOOLEAN}),
        record({"blockNumber": either(QUANTITY, ref("BlockTag"))}),
    ),
    "Call": {
        "type": "object",
        "properties": {
            "from": ADDRESS,
            "to": nullable(ADDRESS),
            "input": ref("AnyData"),
            "data": ref("AnyData"),
            "accessList": ref("AccessList"),
            **fields(QUANTITY, ("gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")),
            **fields(QUANTITY, ("value", "chainId", "nonce", "maxFeePerBlobGas")),
            "blobVersionedHashes": array(ref("AnyHash")),
            "authorizationList": ref("AuthorizationList"),
        },
    },
    "Filter": {
        "type": "object",
        "properties": {
            "fromBlock": ref("BlockNumber"),
            "toBlock": ref("BlockNumber"),
            "blockHash": ref("AnyHash"),
            "address": either(NULL, ADDRESS, array(ADDRESS)),
            "topics": nullable(array(either(NULL, HASH, array(nullable(HASH))))),
        },
    },
}

COMPONENTS: dict[str, Schema] = {**SCALARS, **ACCESS, **CHAIN, **NODE, **MODELS, **ARGUMENTS}
"""Every shared schema by its name."""
