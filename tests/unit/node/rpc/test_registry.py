"""The table holds every method that clients need, each under one name and with its arguments."""

import pytest

from node.rpc.methods import METHODS
from node.rpc.registry import rpc_method

ARGUMENTS = {
    "admin_addPeer": (1, 1),
    "admin_datadir": (0, 0),
    "admin_nodeInfo": (0, 0),
    "admin_peers": (0, 0),
    "admin_removePeer": (1, 1),
    "cvm_backends": (0, 0),
    "cvm_estimateInference": (2, 2),
    "cvm_getChunk": (2, 2),
    "cvm_getCommitCertificate": (0, 1),
    "cvm_getInferences": (1, 1),
    "cvm_getModel": (1, 1),
    "cvm_infer": (2, 3),
    "cvm_listCertificates": (2, 2),
    "cvm_listEvidence": (0, 0),
    "cvm_listModels": (0, 0),
    "cvm_missingChunks": (2, 2),
    "cvm_modelInterface": (1, 1),
    "cvm_modelStatus": (1, 2),
    "cvm_nodeStatus": (0, 0),
    "cvm_putChunk": (5, 5),
    "cvm_traceInference": (1, 2),
    "cvm_verifyInference": (1, 2),
    "debug_getRawBlock": (1, 1),
    "debug_getRawHeader": (1, 1),
    "debug_getRawReceipts": (1, 1),
    "debug_getRawTransaction": (1, 1),
    "debug_traceBlockByHash": (1, 2),
    "debug_traceBlockByNumber": (1, 2),
    "debug_traceCall": (1, 3),
    "debug_traceTransaction": (1, 2),
    "debug_getBadBlocks": (0, 0),
    "eth_accounts": (0, 0),
    "eth_baseFee": (0, 0),
    "eth_blobBaseFee": (0, 0),
    "eth_blockNumber": (0, 0),
    "eth_capabilities": (0, 0),
    "eth_coinbase": (0, 0),
    "eth_config": (0, 0),
    "eth_call": (1, 4),
    "eth_chainId": (0, 0),
    "eth_createAccessList": (1, 3),
    "eth_estimateGas": (1, 4),
    "eth_feeHistory": (2, 3),
    "eth_fillTransaction": (1, 1),
    "eth_gasPrice": (0, 0),
    "eth_getAccountInfo": (1, 2),
    "eth_getBalance": (1, 2),
    "eth_getBlockAccessList": (1, 1),
    "eth_getBlockByHash": (2, 2),
    "eth_getBlockByNumber": (2, 2),
    "eth_getBlockReceipts": (1, 1),
    "eth_getBlockTransactionCountByHash": (1, 1),
    "eth_getBlockTransactionCountByNumber": (1, 1),
    "eth_getCode": (1, 2),
    "eth_getFilterChanges": (1, 1),
    "eth_getFilterLogs": (1, 1),
    "eth_getHeaderByHash": (1, 1),
    "eth_getHeaderByNumber": (1, 1),
    "eth_getLogs": (1, 1),
    "eth_getProof": (2, 3),
    "eth_getStorageAt": (2, 3),
    "eth_getStorageValues": (1, 2),
    "eth_getTransactionByBlockHashAndIndex": (2, 2),
    "eth_getTransactionByBlockNumberAndIndex": (2, 2),
    "eth_getTransactionByHash": (1, 1),
    "eth_getTransactionCount": (1, 2),
    "eth_getTransactionReceipt": (1, 1),
    "eth_getUncleByBlockHashAndIndex": (2, 2),
    "eth_getUncleByBlockNumberAndIndex": (2, 2),
    "eth_getUncleCountByBlockHash": (1, 1),
    "eth_getUncleCountByBlockNumber": (1, 1),
    "eth_maxPriorityFeePerGas": (0, 0),
    "eth_newBlockFilter": (0, 0),
    "eth_newFilter": (1, 1),
    "eth_newPendingTransactionFilter": (0, 1),
    "eth_sendRawTransaction": (1, 1),
    "eth_sendRawTransactionSync": (1, 2),
    "eth_sendTransaction": (1, 1),
    "eth_sign": (2, 2),
    "eth_signTransaction": (1, 1),
    "eth_simulateV1": (1, 2),
    "eth_subscribe": (1, 2),
    "eth_syncing": (0, 0),
    "eth_uninstallFilter": (1, 1),
    "eth_unsubscribe": (1, 1),
    "net_listening": (0, 0),
    "net_peerCount": (0, 0),
    "net_version": (0, 0),
    "rpc.discover": (0, 0),
    "rpc_modules": (0, 0),
    "testing_buildBlockV1": (2, 4),
    "trace_block": (1, 1),
    "trace_callMany": (1, 2),
    "trace_rawTransaction": (2, 2),
    "trace_replayBlockTransactions": (2, 2),
    "trace_replayTransaction": (2, 2),
    "trace_call": (2, 3),
    "trace_filter": (1, 1),
    "trace_get": (2, 2),
    "trace_transaction": (1, 1),
    "txpool_content": (0, 0),
    "txpool_contentFrom": (1, 1),
    "txpool_inspect": (0, 0),
    "txpool_status": (0, 0),
    "web3_clientVersion": (0, 0),
    "web3_sha3": (1, 1),
}
"""Required arguments, and all of them."""


def test_the_table_is_complete() -> None:
    found = {
        name: (sum(p.is_required for p in method.parameters), len(method.parameters))
        for name, method in METHODS.items()
    }
    assert found == ARGUMENTS


def test_a_name_is_registered_once() -> None:
    async def second() -> str:
        return "never"

    with pytest.raises(ValueError, match="eth_chainId is registered twice"):
        rpc_method("eth_chainId")(second)
