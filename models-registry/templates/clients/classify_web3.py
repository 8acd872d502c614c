"""Classify an image with web3.py 8: python classify_web3.py CONTRACT IMAGE.hex."""

import os
import sys
from pathlib import Path
from typing import Any

from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

# The first account of `cvm dev`. Its key is public: never send it anything of value.
DEV_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
IMAGE = {"name": "image", "type": "bytes"}
LABEL = {"name": "label", "type": "uint256"}


def function(name: str, mutability: str, inputs: list[dict[str, str]]) -> dict[str, Any]:
    """Return a function that gives a label, as an ABI lists it."""
    return {
        "type": "function",
        "name": name,
        "stateMutability": mutability,
        "inputs": inputs,
        "outputs": [LABEL],
    }


ABI = [
    function("preview", "view", [IMAGE]),
    function("classify", "nonpayable", [IMAGE]),
    function("lastLabel", "view", []),
]


def main() -> None:
    """Preview an image, then classify it in a transaction."""
    address, file = sys.argv[1:]
    image = Path(file).read_text().strip()
    w3: Any = Web3(Web3.HTTPProvider(os.environ.get("CVM_RPC", "http://127.0.0.1:8545")))
    account = w3.eth.account.from_key(os.environ.get("CVM_KEY", DEV_KEY))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    contract = w3.eth.contract(address=address, abi=ABI)
    print("preview", contract.functions.preview(image).call())
    sent = contract.functions.classify(image).transact({"from": account.address})
    w3.eth.wait_for_transaction_receipt(sent)
    print("stored", contract.functions.lastLabel().call())


if __name__ == "__main__":
    main()
