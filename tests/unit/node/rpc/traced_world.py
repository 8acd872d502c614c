"""A chain with contracts that call, create, destroy, log and infer, for tests of traces."""

import json
from pathlib import Path

import numpy as np

from cvm.evm.creation_address import creation_address
from cvm.evm.keccak import keccak256
from node.sample_models import sample_model_path
from node.tracing.transaction_tracer import SilentTracer
from node.transaction_pool import TransactionPool
from tests.chain_world import CHAIN_ID, USER, ChainWorld, address_of, genesis_document, live_chain
from tests.chain_world import signed as signed_bytes
from tests.evm_world import push

GENESIS = json.dumps(genesis_document()).encode()
SENDER = address_of(USER)
NOBODY = b"\xd0" * 20
REASON = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (3).to_bytes(32, "big")
REASON += b"why".ljust(32, b"\0")
TOPIC = b"\x70" * 32
CALL, LOG1, SSTORE, SLOAD, CREATE, POP, STOP = (
    bytes((op,)) for op in (0xF1, 0xA1, 0x55, 0x54, 0xF0, 0x50, 0x00)
)
INFER, MODELINFO, CALLDATASIZE, CALLDATACOPY = (bytes((op,)) for op in (0xC0, 0xC2, 0x36, 0x37))


def deploying(code: bytes) -> bytes:
    """Return initcode that leaves this code."""
    head = push(len(code)) + bytes.fromhex("80600b5f395ff3")
    return head.ljust(11, b"\x5b") + code


def call_code(to: bytes, value: int = 0, gas: int = 50_000, in_size: int = 0) -> bytes:
    """Return a CALL without output, its result dropped."""
    return b"".join(
        (push(0), push(0), push(in_size), push(0), push(value), push(to), push(gas), CALL, POP)
    )


def reverting() -> bytes:
    """Return code that reverts with Error("why")."""
    copy = push(len(REASON)) + bytes.fromhex("80600c5f395ffd")
    return copy.ljust(12, b"\x5b") + REASON


class TracedWorld:
    """The chain and its view; each method includes one transaction and returns its hash."""

    def __init__(self, folder: Path) -> None:
        self.world = ChainWorld(folder, GENESIS)
        self.view = live_chain(self.world, TransactionPool(CHAIN_ID))

    def close(self) -> None:
        self.view.close()
        self.world.close()

    def deploy(self, code: bytes, value: int = 0) -> bytes:
        """Return the address of a contract of this code."""
        address = creation_address(SENDER, self.world.nonce)
        self.world.send(None, deploying(code), value=value)
        return address

    def include(self, to: bytes, data: bytes = b"", value: int = 0, gas: int = 2_000_000) -> str:
        """Include a transaction, which may fail."""
        raw = signed_bytes(USER, self.world.nonce, to=to, data=data, value=value, gas=gas)
        _checked, left_out = self.world.propose([raw])
        assert left_out == ()
        self.world.nonce += 1
        return "0x" + keccak256(raw).hex()

    def mixed(self) -> tuple[bytes, bytes, str]:
        """Write a slot, log, call what reverts, and send wei: (contract, reverter, hash)."""
        reverter = self.deploy(reverting())
        code = push(7) + push(3) + SSTORE + push(3) + SLOAD + POP
        code += push(0xAB) + push(0) + b"\x52" + push(TOPIC) + push(2) + push(30) + LOG1
        code += call_code(reverter) + call_code(NOBODY, value=5) + STOP
        contract = self.deploy(code)
        tx_hash = self.include(contract, bytes.fromhex("aabbccdd01"), value=9)
        self.compile_kernels()
        return contract, reverter, tx_hash

    def compile_kernels(self) -> None:
        """Run the newest block under a tracer without a time limit, before one counts."""
        chain = self.world.chain.execution
        with chain.replay(chain.head().hash) as replay:
            for tx in replay.transactions:
                replay.apply(tx, SilentTracer())


def image() -> bytes:
    """Return a digit."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return bytes(images[0].tobytes())


def inferring(model_id: bytes) -> bytes:
    """Return code that runs a model on the calldata, and asks for its status."""
    code = CALLDATASIZE + push(0) + push(0) + CALLDATACOPY + push(0) + push(0) + CALLDATASIZE
    return code + push(0) + push(model_id) + INFER + POP + push(0) + push(model_id) + MODELINFO
