"""Where everything lies that the compiled loop and its host share: registers, records, reasons.

All are int64 unless they say otherwise. Addresses point into arrays that the host keeps alive.
"""

from cvm.evm import gas_costs
from cvm.evm.machine_limits import STACK_LIMIT

WORD_BYTES = 32
STACK_BYTES = STACK_LIMIT * WORD_BYTES
CODE_PADDING = 33
"""Zero bytes after the code: a PUSH32 as its last byte reads them, then stops."""

# Registers of the machine.
STACK = 0  # address of frame 0's stack; each frame has STACK_BYTES
MEMORY = 1  # address of the bytes of all frames' memories and of the outermost call's data
MEMORY_SIZE = 2
FRAMES = 3  # address of the frame records
DEPTH = 4  # index of the running frame
RETURN_DATA = 5  # address of the bytes that the last call returned
RETURN_CAPACITY = 6
RETURN_SIZE = 7
ACCOUNTS = 8  # address of the account records
ACCOUNT_INDEX = 9  # address of the hash table into them
ACCOUNT_MASK = 10
SLOTS = 11  # address of the slot records
SLOT_INDEX = 12
SLOT_MASK = 13
SLOT_COUNT = 14
SLOT_LIMIT = 15  # records that fit before the host must make room
JOURNAL = 16  # address of the journal of slots
JOURNAL_COUNT = 17
JOURNAL_LIMIT = 18
LOGS = 19  # address of the bytes of logs
LOGS_SIZE = 20
LOGS_CAPACITY = 21
LOG_COUNT = 22
REFUND = 23
HOST_JOURNAL = 24  # length of the host's own journal
ENVIRONMENT = 25  # address of the words of block and transaction
OPCODES = 26  # address of the table of opcodes
TRANSACTION = 27  # number of the running transaction in this machine, from 1
STATUS = 28  # how the frame ended that the host must close
OUTPUT = 29  # offset in MEMORY of its output
OUTPUT_SIZE = 30
NEEDED = 31  # bytes or records that the host must make room for
SCRATCH = 32  # address of SCRATCH_BYTES for division and hashing
SLOT_ACCOUNT = 33  # the slot that the host must load
FAILURE = 34  # why a frame halted
HASH_KEYS = 35  # ten secret numbers: see `slots.mixed`
BLOB_HASHES = 45  # address of the transaction's versioned hashes, as words
BLOB_COUNT = 46
REGISTERS = 48
HASH_KEY_COUNT = 10
SCRATCH_BYTES = 512

# A frame record.
PC = 0
HEIGHT = 1  # words on the stack
GAS = 2
MEMORY_BASE = 3  # offset in MEMORY
MEMORY_USED = 4  # bytes, a multiple of 32
CODE = 5  # address of the code
CODE_SIZE = 6
JUMPS = 7  # address of one byte for each code byte: 1 at a JUMPDEST
ADDRESS_ACCOUNT = 8  # whose storage it uses
CALLER_ACCOUNT = 9
FLAGS = 10
INPUT = 11  # offset in MEMORY of the call's data
INPUT_SIZE = 12
RESULT = 13  # offset in the caller's memory for the output
RESULT_SIZE = 14
JOURNAL_MARK = 15
LOGS_MARK = 16
LOG_COUNT_MARK = 17
REFUND_MARK = 18
HOST_MARK = 19
VALUE = 20  # four limbs
CALLEE = 24  # the account whose code runs, where the loop pushed the frame
FRAME_FIELDS = 25
FRAME_BYTES = FRAME_FIELDS * 8

STATIC = 1  # flag: state may not change
HOST_ENDS = 2  # flag: the host closes this frame

# An account record: the first three are the address as limbs, lowest first.
ADDRESS_LIMBS = 3
WARM_IN = 3  # the transaction in which it is warm, or ALWAYS_WARM
CODE_AT = 4  # address of its code, IS_PRECOMPILE, or 0 where only the host may enter it
CODE_SIZE_AT = 5
JUMPS_AT = 6
BALANCE_KNOWN = 7  # 1 where the balance below is what the host has
BALANCE = 8  # four limbs
ACCOUNT_FIELDS = 12
ACCOUNT_BYTES = ACCOUNT_FIELDS * 8

ALWAYS_WARM = -1
"""Stands for every transaction: precompiles, and the coinbase from Shanghai on (EIP-3651)."""

IS_PRECOMPILE = -1
"""In the place of the code of a precompile that depends on its input alone."""

# A slot record.
SLOT_OWNER = 0  # account, or account + TRANSIENT
SLOT_SEEN = 1  # the transaction that touched it last
SLOT_WARM = 2
SLOT_WRITTEN = 3  # 1 once its value has changed in this block
SLOT_KEY = 4  # four limbs each
SLOT_VALUE = 8
SLOT_ORIGINAL = 12
SLOT_FIELDS = 16
TRANSIENT = 1 << 40
"""Added to the owner of a slot of transient storage (EIP-1153)."""

# A journal record: what a slot was.
JOURNAL_SLOT = 0
JOURNAL_KIND = 1
JOURNAL_OLD = 4  # four limbs
JOURNAL_FIELDS = 8
VALUE_CHANGED = 0
SLOT_WARMED = 1

# A log record: owner, topics, bytes of data, then the topics as words, then the data.
LOG_HEAD_BYTES = 24

# Words of the environment.
(
    ORIGIN,
    GAS_PRICE,
    COINBASE,
    TIMESTAMP,
    NUMBER,
    PREV_RANDAO,
    GAS_LIMIT,
    CHAIN_ID,
    BASE_FEE,
    BLOB_BASE_FEE,
) = range(10)
ENVIRONMENT_WORDS = 10

# Why the loop returns to the host.
HOST_OPCODE = 1  # the opcode at pc is the host's: it charges, works and steps on
FRAME_ENDED = 2
NEED_MEMORY = 3
NEED_RETURN_DATA = 4
NEED_LOGS = 5
NEED_SLOT_ROOM = 6
NEED_SLOT = 7  # load the slot on top of the stack of SLOT_ACCOUNT, then come back
NEED_UNDO = 8  # take the host's journal back to the frame's mark, then come back
PRECOMPILE = 9  # a frame without code has been pushed: run the precompile on its input, end it
NEED_BALANCE = 10  # write the balance of the running account, then come back

# Events inside one turn of the loop, beside those reasons and why a frame halted.
NONE = 0
ENDED = 100  # STOP, RETURN, REVERT or a halt: the frame is over
CALLED = 101

# How a frame ended.
SUCCEEDED, REVERTED, HALTED = 0, 1, 2

# Why a frame halted: events above HALTS.
HALTS = 200
(
    OUT_OF_GAS,
    STACK_UNDERFLOW,
    STACK_OVERFLOW,
    INVALID_JUMP,
    INVALID_OPCODE,
    WRITE_PROTECTION,
    RETURN_DATA_OUT_OF_BOUNDS,
) = range(HALTS + 1, HALTS + 8)

# The table of opcodes: base gas, words needed, most words before it, in one number each.
GAS_MASK = 0xFFFF
NEEDED_SHIFT = 16
MOST_SHIFT = 32
FIELD_MASK = 0xFFFF
UNDEFINED = 0xFFFF
"""Stands for the words needed by a byte that is no opcode."""

# What words of the loop cost.
MEMORY_WORD_GAS = gas_costs.MEMORY_WORD_GAS
COPY_WORD_GAS = gas_costs.COPY_WORD_GAS
KECCAK_WORD_GAS = gas_costs.KECCAK_WORD_GAS
EXP_BYTE_GAS = gas_costs.EXP_BYTE_GAS
LOG_TOPIC_GAS = gas_costs.LOG_TOPIC_GAS
LOG_BYTE_GAS = gas_costs.LOG_BYTE_GAS
WARM_GAS = gas_costs.WARM_GAS
COLD_SLOT_GAS = gas_costs.COLD_SLOT_GAS
SSTORE_STIPEND = gas_costs.SSTORE_STIPEND
SSTORE_SET_GAS = gas_costs.SSTORE_SET_GAS
SSTORE_RESET_GAS = gas_costs.SSTORE_RESET_GAS
SSTORE_CLEAR_REFUND = gas_costs.SSTORE_CLEAR_REFUND
CALL_GAS_SHIFT = 6  # a caller keeps 1/64 (EIP-150)
MOST_OFFSET = 1 << 32
"""An offset or size of this many bytes costs more gas than any transaction has."""
