"""The same transactions in a chain of ours and in anvil, so that both can be asked about them."""

from pathlib import Path
from typing import Any

from bench.anvil_peer import Anvil
from cvm.evm.creation_address import creation_address
from cvm.evm.keccak import keccak256
from tests.chain_world import CHAIN_ID, USER, WEI, signed
from tests.evm_world import push
from tests.unit.node.rpc.rpc_caller import result
from tests.unit.node.rpc.traced_world import (
    CREATE,
    LOG1,
    NOBODY,
    POP,
    SENDER,
    SLOAD,
    SSTORE,
    STOP,
    TOPIC,
    TracedWorld,
    call_code,
    deploying,
    reverting,
)

GAS_LIMIT = 1 << 25
OPTIONS = ("--chain-id", str(CHAIN_ID), "--no-mining", "--steps-tracing")
DELEGATECALL, STATICCALL, CALLCODE, CREATE2 = b"\xf4", b"\xfa", b"\xf2", b"\xf5"
MSTORE, RETURN, INVALID, BALANCE, KECCAK256 = b"\x52", b"\xf3", b"\xfe", b"\x31", b"\x20"
SHA256, IDENTITY = (2).to_bytes(20, "big"), (4).to_bytes(20, "big")
SELFDESTRUCTING = bytes.fromhex("33ff")
ONE_BYTE = bytes.fromhex("600160005360016000f3")


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def without_value(opcode: bytes, to: bytes, in_size: int = 0) -> bytes:
    """Return a DELEGATECALL or STATICCALL without output, its result dropped."""
    return push(0) * 2 + push(in_size) + push(0) + push(to) + push(50_000) + opcode + POP


def creating(initcode: bytes, value: int = 0, salt: int | None = None) -> bytes:
    """Return a CREATE or CREATE2, its result dropped."""
    stored = push(int.from_bytes(initcode)) + push(0) + MSTORE
    sized = push(len(initcode)) + push(32 - len(initcode)) + push(value)
    return stored + (sized + CREATE if salt is None else push(salt) + sized + CREATE2) + POP


class Twin:
    """Two chains; whatever is included in one is included in the other."""

    def __init__(self, folder: Path) -> None:
        self.traced = TracedWorld(folder)
        self.anvil = Anvil.start("osaka", GAS_LIMIT, OPTIONS)
        self.anvil.ask("anvil_setBalance", hexed(SENDER), hex(WEI))
        self.hashes: dict[str, str] = {}
        self.contracts: dict[str, bytes] = {}

    def close(self) -> None:
        self.anvil.close()
        self.traced.close()

    def include(
        self, name: str, to: bytes | None, data: bytes = b"", value: int = 0, gas: int = 2_000_000
    ) -> None:
        """Include a transaction of USER in a block of its own, under a name."""
        world = self.traced.world
        raw = signed(USER, world.nonce, to=to, data=data, value=value, gas=gas)
        checked, left_out = world.propose([raw])
        assert left_out == ()
        world.nonce += 1
        header, ask = checked.block.header, self.anvil.ask
        ask("anvil_setCoinbase", hexed(header.coinbase))
        ask("anvil_setNextBlockBaseFeePerGas", hex(header.base_fee_per_gas or 0))
        ask("evm_setNextBlockTimestamp", hex(header.timestamp))
        self.hashes[name] = ask("eth_sendRawTransaction", hexed(raw))
        ask("evm_mine")
        assert self.hashes[name] == hexed(keccak256(raw))
        theirs = ask("eth_getTransactionReceipt", self.hashes[name])
        ours: Any = result(self.traced.view, "eth_getTransactionReceipt", self.hashes[name])
        assert (theirs["status"], theirs["gasUsed"]) == (ours["status"], ours["gasUsed"]), name

    def deploy(self, name: str, code: bytes, value: int = 0) -> bytes:
        """Return the address of a contract of this code."""
        address = creation_address(SENDER, self.traced.world.nonce)
        self.include(f"deploy {name}", None, deploying(code), value=value)
        self.contracts[name] = address
        return address

    def both(self, method: str, *params: object) -> tuple[Any, Any]:
        """Return the answer here, and that of anvil."""
        return result(self.traced.view, method, *params), self.anvil.ask(method, *params)

    def fill(self) -> None:
        """Include a transaction of each kind."""
        reverter = self.deploy("reverter", reverting())
        writing = push(7) + push(3) + SSTORE + push(3) + SLOAD + POP
        logging = push(0xAB) + push(0) + MSTORE + push(TOPIC) + push(2) + push(30) + LOG1
        calling = call_code(reverter) + call_code(NOBODY, value=5) + STOP
        mixed = self.deploy("mixed", writing + logging + calling)
        self.include("calls", mixed, bytes.fromhex("aabbccdd01"), value=9)
        self.include("transfer", NOBODY, value=1, gas=21_000)
        self.include("revert", reverter)
        self.include("invalid", self.deploy("invalid", push(1) + INVALID), gas=60_000)
        self.include("out of gas", self.deploy("endless", bytes.fromhex("5b5f56")), gas=22_000)
        maker = self.deploy("maker", creating(SELFDESTRUCTING, 4) + creating(ONE_BYTE, salt=5))
        self.include("create", maker, value=4)
        self.include("create again", maker, value=4)
        target = self.deploy(
            "target",
            push(1) + push(0) + SSTORE + push(9) + push(0) + MSTORE + push(32) + push(0) + RETURN,
        )
        others = without_value(DELEGATECALL, target) + without_value(STATICCALL, target)
        others += push(0) * 5 + push(target) + push(50_000) + CALLCODE + POP
        others += without_value(STATICCALL, SHA256, 3) + without_value(DELEGATECALL, IDENTITY, 40)
        others += push(NOBODY) + BALANCE + POP + push(64) + push(0) + KECCAK256 + POP
        self.include("kinds of calls", self.deploy("others", others), value=2)
        clearing = self.deploy("clearing", push(0) + push(0) + SSTORE)
        self.include("write nothing", clearing)
        refunding = self.deploy("refunding", b"\x36" + push(0) + SSTORE)
        self.include("set", refunding, b"\x01")
        self.include("clear", refunding)
