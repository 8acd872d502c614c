"""How many words a stack holds, and how deep calls nest (Yellow Paper, section 9)."""

STACK_LIMIT = 1_024
CALL_DEPTH_LIMIT = 1_024
