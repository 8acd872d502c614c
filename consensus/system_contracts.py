"""The code of Ethereum's system contracts, as their EIPs give it."""

BEACON_ROOTS_CONTRACT_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f3580156049576200"
    "1fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f35906200"
    "1fff015500"
)
"""EIP-4788: parent beacon block roots by timestamp."""

HISTORY_STORAGE_CONTRACT_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611f"
    "ff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)
"""EIP-2935: block hashes by number."""
