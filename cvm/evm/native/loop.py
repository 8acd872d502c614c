"""The loop: runs frames until the host must act, and says why it returned.

`run` keeps pc, gas, stack top and memory size of the running frame in local variables and writes
them to the frame's record whenever another function or the host may read them. An opcode that the
host must help changes nothing before it asks. Every opcode is checked against the table of opcodes
first: base gas, words needed, room on the stack; pc then stands behind its byte. A branch sets
`event` where the straight path ends; everything else falls through to the next opcode.
"""

from cvm.evm.native import layout as at
from cvm.evm.native.division import add_modulo, divide, multiply_modulo
from cvm.evm.native.frame_memory import jump_target, pushed_value, read_padded, reserved
from cvm.evm.native.frames import (
    PUSHED,
    PUSHED_PRECOMPILE,
    as_size,
    end_frame,
    enter_call,
    frame_address,
    stack_address,
)
from cvm.evm.native.memory_opcodes import copy_inside, copy_to_memory, hash_memory
from cvm.evm.native.number_types import U, int64
from cvm.evm.native.raw_memory import load_byte, load_int, store_byte, store_int
from cvm.evm.native.state_opcodes import (
    address_word,
    blob_hash,
    load_balance,
    load_slot,
    store_slot,
    transient_slot,
    write_log,
)
from cvm.evm.native.word import (
    from_limb,
    leading_zeros,
    limb,
    load_word,
    shift_right,
    store_word,
    swap_bytes,
    word_less_signed,
    word_not,
)
from cvm.evm.native.word_operations import (
    is_zero,
    power,
    shifted,
    sign_extended,
    signed_quotient,
    signed_remainder,
    truth,
)
from cvm.native_code import kernel

W = at.WORD_BYTES


@kernel
def run(registers: int) -> int:
    """Run from the state in the registers until the host must act; return the reason."""
    environment = load_int(registers, at.ENVIRONMENT)
    opcodes = load_int(registers, at.OPCODES)
    scratch = load_int(registers, at.SCRATCH)
    while True:
        depth = load_int(registers, at.DEPTH)
        frame = frame_address(registers, depth)
        memory = load_int(registers, at.MEMORY) + load_int(frame, at.MEMORY_BASE)
        bottom = stack_address(registers, depth) - W
        code = load_int(frame, at.CODE)
        pc = load_int(frame, at.PC)
        gas = load_int(frame, at.GAS)
        used = load_int(frame, at.MEMORY_USED)
        top = bottom + W * load_int(frame, at.HEIGHT)
        event = at.NONE
        status = at.SUCCEEDED
        offset = size = 0
        while True:
            op = int64(load_byte(code, pc))
            pc += 1
            rule = load_int(opcodes, op)
            height = (top - bottom) // W
            before = gas
            gas -= rule & at.GAS_MASK
            if gas < 0:
                event = at.OUT_OF_GAS
                break
            needed = (rule >> at.NEEDED_SHIFT) & at.FIELD_MASK
            if height < needed:
                event = at.INVALID_OPCODE if needed == at.UNDEFINED else at.STACK_UNDERFLOW
                break
            if height > (rule >> at.MOST_SHIFT):
                event = at.STACK_OVERFLOW
                break
            if op == 0x60:  # PUSH1
                top += W
                store_word(top, 0, from_limb(U(load_byte(code, pc))))
                pc += 1
            elif op == 0x61:  # PUSH2
                top += W
                value = (U(load_byte(code, pc)) << U(8)) | U(load_byte(code, pc + 1))
                store_word(top, 0, from_limb(value))
                pc += 2
            elif op == 0x5B:  # JUMPDEST
                pass
            elif op == 0x56:  # JUMP
                target = jump_target(frame, load_word(top, 0))
                if target < 0:
                    event = at.INVALID_JUMP
                    break
                pc = target
                top -= W
            elif op == 0x57:  # JUMPI
                if not is_zero(load_word(top, -W)):
                    target = jump_target(frame, load_word(top, 0))
                    if target < 0:
                        event = at.INVALID_JUMP
                        break
                    pc = target
                top -= 2 * W
            elif op == 0x50:  # POP
                top -= W
            elif op == 0x01:  # ADD
                top -= W
                store_word(top, 0, load_word(top, W) + load_word(top, 0))
            elif op == 0x02:  # MUL
                top -= W
                store_word(top, 0, load_word(top, W) * load_word(top, 0))
            elif op == 0x03:  # SUB
                top -= W
                store_word(top, 0, load_word(top, W) - load_word(top, 0))
            elif op == 0x04:  # DIV
                top -= W
                store_word(top, 0, divide(scratch, load_word(top, W), load_word(top, 0))[0])
            elif op == 0x05:  # SDIV
                top -= W
                store_word(top, 0, signed_quotient(scratch, load_word(top, W), load_word(top, 0)))
            elif op == 0x06:  # MOD
                top -= W
                store_word(top, 0, divide(scratch, load_word(top, W), load_word(top, 0))[1])
            elif op == 0x07:  # SMOD
                top -= W
                store_word(top, 0, signed_remainder(scratch, load_word(top, W), load_word(top, 0)))
            elif op == 0x08:  # ADDMOD
                top -= 2 * W
                total = add_modulo(
                    scratch, load_word(top, 2 * W), load_word(top, W), load_word(top, 0)
                )
                store_word(top, 0, total)
            elif op == 0x09:  # MULMOD
                top -= 2 * W
                product = multiply_modulo(
                    scratch, load_word(top, 2 * W), load_word(top, W), load_word(top, 0)
                )
                store_word(top, 0, product)
            elif op == 0x0A:  # EXP
                exponent = load_word(top, -W)
                gas -= at.EXP_BYTE_GAS * ((263 - int64(leading_zeros(exponent))) >> 3)
                if gas < 0:
                    event = at.OUT_OF_GAS
                    break
                top -= W
                store_word(top, 0, power(load_word(top, W), exponent))
            elif op == 0x0B:  # SIGNEXTEND
                top -= W
                store_word(top, 0, sign_extended(load_word(top, W), load_word(top, 0)))
            elif op == 0x10:  # LT
                top -= W
                store_word(top, 0, truth(load_word(top, W) < load_word(top, 0)))
            elif op == 0x11:  # GT
                top -= W
                store_word(top, 0, truth(load_word(top, 0) < load_word(top, W)))
            elif op == 0x12:  # SLT
                top -= W
                store_word(top, 0, truth(word_less_signed(load_word(top, W), load_word(top, 0))))
            elif op == 0x13:  # SGT
                top -= W
                store_word(top, 0, truth(word_less_signed(load_word(top, 0), load_word(top, W))))
            elif op == 0x14:  # EQ
                top -= W
                store_word(top, 0, truth(load_word(top, W) == load_word(top, 0)))
            elif op == 0x15:  # ISZERO
                store_word(top, 0, truth(is_zero(load_word(top, 0))))
            elif op == 0x16:  # AND
                top -= W
                store_word(top, 0, load_word(top, W) & load_word(top, 0))
            elif op == 0x17:  # OR
                top -= W
                store_word(top, 0, load_word(top, W) | load_word(top, 0))
            elif op == 0x18:  # XOR
                top -= W
                store_word(top, 0, load_word(top, W) ^ load_word(top, 0))
            elif op == 0x19:  # NOT
                store_word(top, 0, word_not(load_word(top, 0)))
            elif op == 0x1A:  # BYTE
                top -= W
                place = load_word(top, W)
                chosen = U(0)
                if place < from_limb(U(W)):
                    bits = U(248) - U(8) * limb(place, 0)
                    chosen = limb(shift_right(load_word(top, 0), bits), 0) & U(255)
                store_word(top, 0, from_limb(chosen))
            elif op == 0x1B or op == 0x1C or op == 0x1D:  # SHL SHR SAR
                top -= W
                store_word(top, 0, shifted(op, load_word(top, W), load_word(top, 0)))
            elif op == 0x1E:  # CLZ
                store_word(top, 0, from_limb(leading_zeros(load_word(top, 0))))
            elif op == 0x20:  # KECCAK256
                gas, event = hash_memory(registers, frame, top, gas)
                if event != at.NONE:
                    break
                used = load_int(frame, at.MEMORY_USED)
                top -= W
            elif op == 0x30:  # ADDRESS
                top += W
                account = load_int(frame, at.ADDRESS_ACCOUNT)
                store_word(top, 0, address_word(registers, account))
            elif op == 0x32:  # ORIGIN
                top += W
                store_word(top, 0, load_word(environment, W * at.ORIGIN))
            elif op == 0x33:  # CALLER
                top += W
                account = load_int(frame, at.CALLER_ACCOUNT)
                store_word(top, 0, address_word(registers, account))
            elif op == 0x34:  # CALLVALUE
                top += W
                store_word(top, 0, load_word(frame, at.VALUE * 8))
            elif op == 0x35:  # CALLDATALOAD
                data = load_int(registers, at.MEMORY) + load_int(frame, at.INPUT)
                value = read_padded(data, load_int(frame, at.INPUT_SIZE), load_word(top, 0))
                store_word(top, 0, value)
            elif op == 0x36:  # CALLDATASIZE
                top += W
                store_word(top, 0, from_limb(U(load_int(frame, at.INPUT_SIZE))))
            elif op == 0x37 or op == 0x39 or op == 0x3E:  # CALLDATACOPY CODECOPY RETURNDATACOPY
                gas, event = copy_to_memory(registers, frame, top, gas, op)
                if event != at.NONE:
                    break
                used = load_int(frame, at.MEMORY_USED)
                top -= 3 * W
            elif op == 0x38:  # CODESIZE
                top += W
                store_word(top, 0, from_limb(U(load_int(frame, at.CODE_SIZE))))
            elif op == 0x3A:  # GASPRICE
                top += W
                store_word(top, 0, load_word(environment, W * at.GAS_PRICE))
            elif op == 0x3D:  # RETURNDATASIZE
                top += W
                store_word(top, 0, from_limb(U(load_int(registers, at.RETURN_SIZE))))
            elif 0x41 <= op <= 0x46:  # COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID
                top += W
                store_word(top, 0, load_word(environment, W * (op - 0x41 + at.COINBASE)))
            elif op == 0x47:  # SELFBALANCE
                event = load_balance(registers, frame, top + W)
                if event != at.NONE:
                    break
                top += W
            elif op == 0x48:  # BASEFEE
                top += W
                store_word(top, 0, load_word(environment, W * at.BASE_FEE))
            elif op == 0x49:  # BLOBHASH
                store_word(top, 0, blob_hash(registers, load_word(top, 0)))
            elif op == 0x4A:  # BLOBBASEFEE
                top += W
                store_word(top, 0, load_word(environment, W * at.BLOB_BASE_FEE))
            elif op == 0x51:  # MLOAD
                start = as_size(load_word(top, 0))
                if start + W > used:
                    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), W)
                    if event != at.NONE:
                        break
                    used = load_int(frame, at.MEMORY_USED)
                store_word(top, 0, swap_bytes(load_word(memory, start)))
            elif op == 0x52:  # MSTORE
                start = as_size(load_word(top, 0))
                if start + W > used:
                    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), W)
                    if event != at.NONE:
                        break
                    used = load_int(frame, at.MEMORY_USED)
                store_word(memory, start, swap_bytes(load_word(top, -W)))
                top -= 2 * W
            elif op == 0x53:  # MSTORE8
                start = as_size(load_word(top, 0))
                if start + 1 > used:
                    gas, start, event = reserved(registers, frame, gas, load_word(top, 0), 1)
                    if event != at.NONE:
                        break
                    used = load_int(frame, at.MEMORY_USED)
                store_byte(memory, start, load_byte(top, -W))
                top -= 2 * W
            elif op == 0x54:  # SLOAD
                gas, event = load_slot(registers, frame, top, gas)
                if event != at.NONE:
                    break
            elif op == 0x55:  # SSTORE
                gas, event = store_slot(registers, frame, top, gas)
                if event != at.NONE:
                    break
                top -= 2 * W
            elif op == 0x58:  # PC
                top += W
                store_word(top, 0, from_limb(U(pc - 1)))
            elif op == 0x59:  # MSIZE
                top += W
                store_word(top, 0, from_limb(U(used)))
            elif op == 0x5A:  # GAS
                top += W
                store_word(top, 0, from_limb(U(gas)))
            elif op == 0x5C or op == 0x5D:  # TLOAD TSTORE
                event = transient_slot(registers, frame, top, op == 0x5D)
                if event != at.NONE:
                    break
                if op == 0x5D:
                    top -= 2 * W
            elif op == 0x5E:  # MCOPY
                gas, event = copy_inside(registers, frame, top, gas)
                if event != at.NONE:
                    break
                used = load_int(frame, at.MEMORY_USED)
                top -= 3 * W
            elif op == 0x5F:  # PUSH0
                top += W
                store_word(top, 0, from_limb(U(0)))
            elif 0x62 <= op <= 0x7F:  # PUSH3 to PUSH32
                top += W
                store_word(top, 0, pushed_value(code, pc, op - 0x5F))
                pc += op - 0x5F
            elif 0x80 <= op <= 0x8F:  # DUP1 to DUP16
                store_word(top, W, load_word(top, W * (0x80 - op)))
                top += W
            elif 0x90 <= op <= 0x9F:  # SWAP1 to SWAP16
                other = W * (0x8F - op)
                value = load_word(top, 0)
                store_word(top, 0, load_word(top, other))
                store_word(top, other, value)
            elif 0xA0 <= op <= 0xA4:  # LOG0 to LOG4
                gas, event = write_log(registers, frame, top, gas, op - 0xA0)
                if event != at.NONE:
                    break
                used = load_int(frame, at.MEMORY_USED)
                top -= W * (op - 0xA0 + 2)
            elif op == 0xF1 or op == 0xF4 or op == 0xFA:  # CALL DELEGATECALL STATICCALL
                event = at.CALLED
                break
            elif op == 0xF3 or op == 0xFD:  # RETURN REVERT
                size = as_size(load_word(top, -W))
                gas, offset, event = reserved(registers, frame, gas, load_word(top, 0), size)
                if event == at.NONE:
                    status = at.SUCCEEDED if op == 0xF3 else at.REVERTED
                    event = at.ENDED
                break
            elif op == 0x00:  # STOP
                size = 0
                event = at.ENDED
                break
            else:
                event = at.HOST_OPCODE
                break
        if event < at.ENDED:  # the host acts, and the opcode starts again
            gas = before
        elif event > at.HALTS:
            if before >= 0:  # else it has halted already, and the host has undone its journal
                store_int(registers, at.FAILURE, event)
            event = at.ENDED
            gas, status, offset, size = -1, at.HALTED, 0, 0
        store_int(frame, at.PC, pc - 1)
        store_int(frame, at.GAS, gas)
        store_int(frame, at.HEIGHT, (top - bottom) // W)
        if event == at.CALLED:
            entered = enter_call(registers, op)
            if entered == PUSHED:
                continue
            return at.PRECOMPILE if entered == PUSHED_PRECOMPILE else at.HOST_OPCODE
        if event == at.ENDED:
            event = end_frame(registers, status, offset, size)
        if event != at.NONE:
            return event
