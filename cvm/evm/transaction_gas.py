"""What a transaction costs before its first opcode, and at least, at each fork."""

from cvm.evm.forks import Fork
from cvm.evm.payable import Payable

TX_GAS = 21_000
CREATE_GAS = 32_000  # EIP-2
ZERO_BYTE_GAS = 4
NONZERO_BYTE_GAS = 16  # EIP-2028
ACCESS_LIST_ADDRESS_GAS = 2_400  # EIP-2930
ACCESS_LIST_KEY_GAS = 1_900
INITCODE_WORD_GAS = 2  # EIP-3860
AUTHORIZATION_GAS = 25_000  # EIP-7702
FLOOR_TOKEN_GAS = 10  # EIP-7623
TOKENS_PER_NONZERO_BYTE = 4


def intrinsic_gas(tx: Payable, fork: Fork) -> int:
    """Return the gas that is charged before execution (Yellow Paper g0, with the EIPs above).

    Initcode costs from Shanghai on.
    """
    gas = TX_GAS
    size = len(tx.data)
    if size:
        zeros = tx.data.count(0)
        gas += zeros * ZERO_BYTE_GAS + (size - zeros) * NONZERO_BYTE_GAS
    if not tx.to:
        gas += CREATE_GAS
        if fork.is_shanghai:
            gas += INITCODE_WORD_GAS * -(-size // 32)
    for _address, slots in tx.access_list:
        gas += ACCESS_LIST_ADDRESS_GAS + ACCESS_LIST_KEY_GAS * len(slots)
    return gas + AUTHORIZATION_GAS * len(tx.authorization_list)


def floor_data_gas(data: bytes, fork: Fork) -> int:
    """Return the least gas that a transaction with this calldata pays: EIP-7623, from Prague on."""
    if not fork.is_prague or not data:
        return TX_GAS
    zeros = data.count(0)
    tokens = zeros + (len(data) - zeros) * TOKENS_PER_NONZERO_BYTE
    return TX_GAS + FLOOR_TOKEN_GAS * tokens
