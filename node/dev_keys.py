"""The TEST accounts of development chains: keys of a mnemonic that everybody knows.

Derived here as BIP-39 and BIP-32 say: eth-account can do it too, but takes half a second of
processor time to import, which every start of a node would pay.
"""

import hmac
from functools import cache
from hashlib import pbkdf2_hmac

from coincurve import PrivateKey as CurveKey

from cvm.evm.private_key import PrivateKey
from cvm.evm.signatures import CURVE_ORDER

DEV_MNEMONIC = "test test test test test test test test test test test junk"  # public: test keys
DEV_ACCOUNT_COUNT = 10
DEV_VALIDATOR_INDEX = 100
DEV_MODEL_OWNER_INDEX = 101
MAX_DEV_ACCOUNTS = 100
DEV_BALANCE_WEI = 10_000 * 10**18

SEED_ROUNDS = 2_048  # BIP-39
HARDENED = 1 << 31
ACCOUNT_PATH = (HARDENED + 44, HARDENED + 60, HARDENED, 0)
"""m/44'/60'/0'/0 (BIP-44), as anvil and hardhat have it."""

Node = tuple[int, bytes]
"""A key and its chain code (BIP-32)."""


def dev_key(index: int) -> PrivateKey:
    """Return a TEST key of the mnemonic that anvil and hardhat use; anyone can spend from it."""
    secret, _chain_code = child(account_node(), index)
    return PrivateKey(secret.to_bytes(32, "big"))


def dev_accounts(count: int = DEV_ACCOUNT_COUNT) -> tuple[PrivateKey, ...]:
    """Return the funded TEST accounts of a development chain."""
    return tuple(dev_key(index) for index in range(count))


def dev_validator() -> PrivateKey:
    """Return the TEST validator of a development chain."""
    return dev_key(DEV_VALIDATOR_INDEX)


def dev_model_owner() -> PrivateKey:
    """Return the TEST account that registers the sample models of a development chain."""
    return dev_key(DEV_MODEL_OWNER_INDEX)


@cache
def account_node() -> Node:
    """Return what all the accounts are children of."""
    seed = pbkdf2_hmac("sha512", DEV_MNEMONIC.encode(), b"mnemonic", SEED_ROUNDS)
    node = split(hmac.digest(b"Bitcoin seed", seed, "sha512"))
    for index in ACCOUNT_PATH:
        node = child(node, index)
    return node


def child(parent: Node, index: int) -> Node:
    """Return a child of a key (BIP-32, CKDpriv); the mnemonic's own have no invalid one."""
    secret, chain_code = parent
    key = secret.to_bytes(32, "big")
    data = b"\0" + key if index >= HARDENED else CurveKey(key).public_key.format()
    tweak, code = split(hmac.digest(chain_code, data + index.to_bytes(4, "big"), "sha512"))
    return (tweak + secret) % CURVE_ORDER, code


def split(digest: bytes) -> Node:
    """Return the halves of 64 bytes: a number and a chain code."""
    return int.from_bytes(digest[:32], "big"), digest[32:]
