"""Draws inputs of precompiles: right ones, nearly right ones, and hostile ones."""

from random import Random

from cvm.evm.forks import Fork
from cvm.evm.signatures import sign_hash

BN_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
BN_PRIME = 21888242871839275222246405745257275088696311157297823662689037894645226208583
BN_POINTS = ((0, 0), (1, 2), (1, BN_PRIME - 2), (1, 3), (BN_PRIME, 0), (2, 2))
BN_G2 = (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
)
BLS_G1 = (
    0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
    0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
)
FAST = (1, 2, 3, 4, 5, 6, 7, 9, 0x0B)
SLOW = (8, 0x0A, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11)


def word(value: int) -> bytes:
    """Return 32 bytes of a number."""
    return value.to_bytes(32, "big")


def precompile_input(source: Random, fork: Fork) -> tuple[int, bytes]:
    """Return the address of a precompile, and data for it."""
    chosen = source.choice(FAST if source.random() < 0.9 else SLOW)
    if fork.is_osaka and source.random() < 0.08:
        chosen = 0x100
    data = _right_input(source, chosen)
    draw = source.random()
    if draw < 0.1:
        data = data[: source.randint(0, len(data))]
    elif draw < 0.2:
        data += source.randbytes(source.randint(1, 40))
    elif draw < 0.3 and data:
        place = source.randrange(len(data))
        data = data[:place] + source.randbytes(1) + data[place + 1 :]
    return chosen, data


def _right_input(source: Random, address: int) -> bytes:
    if address == 1:
        message = source.randbytes(32)
        y_parity, r, s = sign_hash(message, source.randbytes(31) + b"\1")
        return message + word(27 + y_parity) + word(r) + word(s)
    if address == 5:
        return _modexp(source)
    if address == 6:
        return _bn_point(source) + _bn_point(source)
    if address == 7:
        factors = (0, 1, 2, 9, BN_ORDER - 1, BN_ORDER, BN_ORDER + 1, (1 << 256) - 1)
        return _bn_point(source) + word(source.choice(factors))
    if address == 8:
        pair = b"".join(map(word, ((0, 0), (1, 2))[source.randint(0, 1)] + BN_G2))
        return pair * source.choice((0, 0, 0, 1))
    if address == 9:
        rounds = source.choice((0, 1, 12, 40, (1 << 32) - 1))
        return rounds.to_bytes(4, "big") + source.randbytes(208) + source.choice((b"\0", b"\1"))
    if address == 0x0B:
        return _bls_point(source) + _bls_point(source)
    if address == 0x0C:
        return _bls_point(source) + word(source.choice((0, 1, 2, (1 << 256) - 1)))
    sizes = {0x0A: 192, 0x0D: 512, 0x0E: 288, 0x0F: 384, 0x10: 64, 0x11: 128, 0x100: 160}
    return bytes(sizes[address]) if address in sizes else source.randbytes(source.randint(0, 80))


def _bn_point(source: Random) -> bytes:
    return b"".join(map(word, source.choices(BN_POINTS, (3, 6, 3, 1, 1, 1))[0]))


def _bls_point(source: Random) -> bytes:
    draw = source.random()
    if draw < 0.3:
        return bytes(128)
    if draw < 0.9:
        return b"".join(value.to_bytes(64, "big") for value in BLS_G1)
    return bytes(16) + source.randbytes(48) + bytes(16) + source.randbytes(48)


def _modexp(source: Random) -> bytes:
    sizes = [source.choice((0, 1, 2, 31, 32, 33, 40)) for _ in range(3)]
    data = source.randbytes(sum(sizes))
    if source.random() < 0.15:
        hostile = (1 << 20, 1 << 32, (1 << 64) - 1, 1 << 64, (1 << 256) - 1, 1025)
        sizes[source.randint(0, 2)] = source.choice(hostile)
    if source.random() < 0.1 and sum(sizes) < 200:
        data = bytes(sum(sizes))
    return b"".join(map(word, sizes)) + data
