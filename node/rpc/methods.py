"""Every family of JSON-RPC methods: importing this module fills the table `METHODS`."""

from node.rpc import (
    cvm_certificates,
    cvm_chunks,
    cvm_inferences,
    cvm_models,
    cvm_node,
    eth_chain,
    eth_execute,
    eth_fee,
    eth_filters,
    eth_logs,
    eth_state,
    eth_subscribe,
    eth_transaction,
    net,
    txpool,
    web3,
)
from node.rpc.registry import METHODS

__all__ = ["FAMILIES", "METHODS"]

FAMILIES = (
    cvm_certificates,
    cvm_chunks,
    cvm_inferences,
    cvm_models,
    cvm_node,
    eth_chain,
    eth_execute,
    eth_fee,
    eth_filters,
    eth_logs,
    eth_state,
    eth_subscribe,
    eth_transaction,
    net,
    txpool,
    web3,
)
"""The modules that register methods."""
