"""The sizes of the machine: its words, its stack, its calls, its largest numbers."""

STACK_LIMIT = 1_024
CALL_DEPTH_LIMIT = 1_024
"""How many words a stack holds, and how deep calls nest (Yellow Paper, section 9)."""

WORD_BYTES = 32
MAX_NONCE = 2**64 - 1  # EIP-2681
MAX_GAS_LIMIT = 2**63 - 1  # EIP-1985
