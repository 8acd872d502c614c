"""What the methods that every Ethereum node has give back."""

from node.rpc.schemas.components import (
    ADDRESS,
    BLOCK,
    DATA,
    HASH,
    LOG,
    QUANTITY,
    RECEIPT,
    TRANSACTION,
)
from node.rpc.schemas.forms import (
    BOOLEAN,
    INTEGER,
    NULL,
    TEXT,
    Schema,
    array,
    either,
    fields,
    mapping,
    nullable,
    record,
    ref,
)

LOGS = array(LOG)
POOL = record({"pending": ref("Pool"), "queued": ref("Pool")})
BY_NONCE = mapping(TRANSACTION)
LINES = mapping(mapping(TEXT))

ETH_RESULTS: dict[str, Schema] = {
    "eth_accounts": array(ADDRESS),
    "eth_call": DATA,
    "eth_capabilities": record(
        {
            "head": record({"number": QUANTITY, "hash": HASH}),
            **fields(ref("Reach"), ("state", "tx", "logs", "receipts", "blocks", "stateproofs")),
        }
    ),
    "eth_coinbase": ADDRESS,
    "eth_config": record(
        {
            "current": ref("ForkSettings"),
            "next": nullable(ref("ForkSettings")),
            "last": nullable(ref("ForkSettings")),
        }
    ),
    "eth_feeHistory": record(
        {
            "oldestBlock": QUANTITY,
            "baseFeePerGas": array(QUANTITY),
            "gasUsedRatio": array(ref("Ratio")),
        },
        {
            "baseFeePerBlobGas": array(QUANTITY),
            "blobGasUsedRatio": array(ref("Ratio")),
            "reward": array(array(QUANTITY)),
        },
    ),
    "eth_fillTransaction": record({"raw": DATA, "tx": ref("UnsignedTransaction")}),
    "eth_getAccountInfo": record({"balance": QUANTITY, "nonce": QUANTITY, "code": DATA}),
    "eth_getBlockAccessList": NULL,
    "eth_getBlockReceipts": nullable(array(RECEIPT)),
    "eth_getCode": DATA,
    "eth_getFilterChanges": either(array(HASH), array(TRANSACTION), LOGS),
    "eth_getFilterLogs": LOGS,
    "eth_getLogs": LOGS,
    **fields(nullable(ref("Header")), ("eth_getHeaderByHash", "eth_getHeaderByNumber")),
    **fields(NULL, ("eth_getUncleByBlockHashAndIndex", "eth_getUncleByBlockNumberAndIndex")),
    "eth_getStorageAt": ref("Word"),
    "eth_getStorageValues": mapping(array(ref("Word"))),
    "eth_getTransactionReceipt": nullable(RECEIPT),
    "eth_sendRawTransaction": HASH,
    "eth_sendRawTransactionSync": RECEIPT,
    "eth_sendTransaction": HASH,
    **fields(ref("Signature"), ("eth_sign", "eth_signTypedData_v4", "personal_sign")),
    "eth_signTransaction": record({"raw": DATA, "tx": TRANSACTION}),
    "eth_syncing": either(
        BOOLEAN, record(fields(QUANTITY, ("startingBlock", "currentBlock", "highestBlock")))
    ),
    "eth_uninstallFilter": BOOLEAN,
    "eth_unsubscribe": BOOLEAN,
    **fields(QUANTITY, ("eth_baseFee", "eth_blobBaseFee", "eth_blockNumber", "eth_chainId")),
    **fields(QUANTITY, ("eth_estimateGas", "eth_gasPrice", "eth_getBalance")),
    **fields(QUANTITY, ("eth_getTransactionCount", "eth_maxPriorityFeePerGas")),
    **fields(QUANTITY, ("eth_newBlockFilter", "eth_newFilter", "eth_subscribe")),
    **fields(QUANTITY, ("eth_newPendingTransactionFilter",)),
    **fields(nullable(BLOCK), ("eth_getBlockByHash", "eth_getBlockByNumber")),
    **fields(
        nullable(QUANTITY),
        (
            "eth_getBlockTransactionCountByHash",
            "eth_getBlockTransactionCountByNumber",
            "eth_getUncleCountByBlockHash",
            "eth_getUncleCountByBlockNumber",
        ),
    ),
    **fields(
        nullable(TRANSACTION),
        (
            "eth_getTransactionByBlockHashAndIndex",
            "eth_getTransactionByBlockNumberAndIndex",
            "eth_getTransactionByHash",
        ),
    ),
}

PEER = record(
    {
        "enode": TEXT,
        "id": TEXT,
        "name": TEXT,
        "caps": array(TEXT),
        "network": record(
            {"remoteAddress": TEXT, **fields(BOOLEAN, ("inbound", "trusted", "static"))}
        ),
        "protocols": mapping(record({"version": INTEGER})),
    }
)
OWN_NODE = record(
    {
        **fields(TEXT, ("id", "name", "enode", "ip", "listenAddr")),
        "ports": record(fields(INTEGER, ("discovery", "listener"))),
        "protocols": mapping(record({"network": INTEGER, "genesis": HASH, "head": HASH})),
    }
)

NODE_RESULTS: dict[str, Schema] = {
    "admin_addPeer": BOOLEAN,
    "admin_datadir": TEXT,
    "admin_nodeInfo": OWN_NODE,
    "admin_peers": array(PEER),
    "admin_removePeer": BOOLEAN,
    "debug_getBadBlocks": array(record({"block": BLOCK, "hash": HASH, "rlp": DATA})),
    "net_listening": BOOLEAN,
    "net_peerCount": QUANTITY,
    "net_version": ref("Decimal"),
    "rpc.discover": {"type": "object", "description": "An OpenRPC document"},
    "rpc_modules": mapping(TEXT),
    "txpool_content": POOL,
    "txpool_contentFrom": record({"pending": BY_NONCE, "queued": BY_NONCE}),
    "txpool_inspect": record({"pending": LINES, "queued": LINES}),
    "txpool_status": record({"pending": QUANTITY, "queued": QUANTITY}),
    "web3_clientVersion": TEXT,
    "web3_sha3": HASH,
}
