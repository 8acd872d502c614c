"""The web3_ methods."""

from cvm.evm.keccak import keccak256
from node.rpc.chain_view import EthView
from node.rpc.encoding import data
from node.rpc.parameters import Data
from node.rpc.registry import rpc_method


@rpc_method("web3_clientVersion")
async def client_version(chain: EthView) -> str:
    """Return the name and version of this client."""
    return chain.client_version


@rpc_method("web3_sha3")
async def sha3(_chain: EthView, message: Data) -> str:
    """Return the Keccak-256 of some bytes."""
    return data(keccak256(message))
