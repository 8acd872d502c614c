"""Recovers the signers of many hashes in one call that never takes the interpreter's lock.

A loop of single recoveries lets go of the lock for 40 us at a time, and a busy interpreter gives
it back only after 5 ms (`sys.getswitchinterval`): beside execution such a loop stands still. Here
the whole loop is compiled. It calls libsecp256k1 by addresses that it is given, because numba
cannot cache a function with an address in its code. All memory is the caller's too: numba frees an
array after its last use by name, and takes the use of its address for none.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic as numba_intrinsic

from cvm.evm.keccak import HASH_BYTES
from cvm.evm.native.keccak import keccak256
from cvm.evm.native.machine_memory import new_scratch
from cvm.evm.native.number_types import int64
from cvm.evm.native.raw_memory import store_int
from cvm.evm.native.word import store_word
from cvm.evm.rlp_lists import ADDRESS_BYTES
from cvm.evm.signatures import PUBLIC_KEY_BYTES, UNCOMPRESSED
from cvm.evm.wide_recovery import recover_wide
from cvm.numba_cache import is_cache_configured

COMPACT_BYTES = 64

# Room for libsecp256k1's own forms (a signature has 65 bytes, a public key 64), and what it writes.
SIGNATURE = 0
OPAQUE_KEY = 128
LENGTH = 256
PUBLIC_KEY = 264
ROOM_BYTES = PUBLIC_KEY + PUBLIC_KEY_BYTES

POINTER, INT = ir.IntType(64), ir.IntType(32)


def address_of(name: str) -> int:
    """Return where a function of libsecp256k1 lies in memory."""
    return int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))


FUNCTIONS = np.array(
    [
        int(ffi.cast("uintptr_t", GLOBAL_CONTEXT.ctx)),
        address_of("secp256k1_ecdsa_recoverable_signature_parse_compact"),
        address_of("secp256k1_ecdsa_recover"),
        address_of("secp256k1_ec_pubkey_serialize"),
    ],
    np.uint64,
)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Return numba's intrinsic, whose stub counts the typing context as an argument."""
    return numba_intrinsic(function)


def call_by_address(builder: Any, arguments: Any, kinds: tuple[ir.Type, ...]) -> Any:
    """Emit a C call of `int f(kinds)`; the first argument is the address of f."""
    pointer = builder.inttoptr(arguments[0], ir.FunctionType(INT, kinds).as_pointer())
    values = [
        builder.trunc(value, kind) if kind is INT else value
        for value, kind in zip(arguments[1:], kinds, strict=True)
    ]
    return builder.zext(builder.call(pointer, values), POINTER)


@intrinsic
def call_four(_typing: Any, f: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Call `int f(void *, void *, void *, void *)`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return call_by_address(builder, arguments, (POINTER,) * 4)

    return types.uint64(f, a, b, c, d), generate


@intrinsic
def call_with_number(_typing: Any, f: Any, a: Any, b: Any, c: Any, number: Any) -> Any:
    """Call `int f(void *, void *, void *, int)`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return call_by_address(builder, arguments, (POINTER, POINTER, POINTER, INT))

    return types.uint64(f, a, b, c, number), generate


@intrinsic
def call_with_flags(_typing: Any, f: Any, a: Any, b: Any, c: Any, d: Any, flags: Any) -> Any:
    """Call `int f(void *, void *, void *, void *, unsigned int)`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return call_by_address(builder, arguments, (POINTER,) * 4 + (INT,))

    return types.uint64(f, a, b, c, d, flags), generate


@njit(nogil=True, cache=is_cache_configured())
def recover_all(
    functions: Any,
    room: Any,
    scratch: Any,
    hashes: Any,
    compact: Any,
    parities: Any,
    signers: Any,
    found: Any,
) -> None:
    """Write a hash that ends with the signer's address, and 1 into `found` where there is one.

    Where `found` is 1 already, nothing is done. A parity above 1 has no signer, as in
    `signatures.recover_address`: libsecp256k1 knows 2 and 3 (r + n), Ethereum does not.
    """
    context = functions[0]
    room_at = np.uint64(room.ctypes.data)
    signature_at, key_at = room_at + np.uint64(SIGNATURE), room_at + np.uint64(OPAQUE_KEY)
    length_at, output_at = room_at + np.uint64(LENGTH), room_at + np.uint64(PUBLIC_KEY)
    hashes_at, compact_at = np.uint64(hashes.ctypes.data), np.uint64(compact.ctypes.data)
    point = int64(output_at) + 1  # behind the byte that says "uncompressed"
    signers_at, scratch_at = int64(signers.ctypes.data), int64(scratch.ctypes.data)
    for place in range(parities.size):
        if found[place] or parities[place] > 1:
            continue
        step = np.uint64(place)
        compact_here = compact_at + step * np.uint64(COMPACT_BYTES)
        parity = np.uint64(parities[place])
        if not call_with_number(functions[1], context, signature_at, compact_here, parity):
            continue
        hash_here = hashes_at + step * np.uint64(HASH_BYTES)
        if not call_four(functions[2], context, key_at, signature_at, hash_here):
            continue
        store_int(int64(length_at), 0, PUBLIC_KEY_BYTES)
        call_with_flags(
            functions[3], context, output_at, length_at, key_at, np.uint64(UNCOMPRESSED)
        )
        signer = keccak256(scratch_at, point, int64(COMPACT_BYTES))
        store_word(signers_at, int64(place * HASH_BYTES), signer)
        found[place] = 1


class SignatureBatch:
    """Signatures over 32-byte hashes; `run` may be called on any thread, once."""

    def __init__(self, hashes: bytes, compact: bytes, parities: bytes) -> None:
        self._hashes = np.frombuffer(hashes, np.uint8)
        self._compact = np.frombuffer(compact, np.uint8)
        self._parities = np.frombuffer(parities, np.uint8)
        self._signers = np.empty(len(parities) * HASH_BYTES, np.uint8)
        self._found = np.zeros(len(parities), np.uint8)

    def run(self) -> None:
        """Recover every public key, without the interpreter's lock."""
        recover_wide(self._hashes, self._compact, self._parities, self._signers, self._found)
        recover_all(
            FUNCTIONS,
            np.empty(ROOM_BYTES, np.uint8),
            new_scratch(),
            self._hashes,
            self._compact,
            self._parities,
            self._signers,
            self._found,
        )

    def addresses(self) -> list[bytes | None]:
        """Return the signers after `run`, None where a signature has none."""
        hashes = self._signers.tobytes()
        ends = range(HASH_BYTES, len(hashes) + 1, HASH_BYTES)
        return [
            hashes[end - ADDRESS_BYTES : end] if found else None
            for end, found in zip(ends, self._found.tolist(), strict=True)
        ]
