"""Foundry's cast against a node, as its users type it."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from tests.clients.scripts.steps import (
    BYSTANDER,
    CHAIN_ID,
    Unexpected,
    expect,
    label_of,
    settings,
    take_steps,
)

TIMEOUT_S = 60
MAX_ATTEMPTS, ATTEMPT_S = 20, 2
HASH = "transactionHash: "
PREVIEW = "preview(bytes)(uint256)"
CLASSIFY = "classify(bytes)"
CLASSIFIED = "Classified(address indexed,uint256)"


def run_cast(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, whatever that is."""
    return subprocess.run(
        ["cast", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def pass_on(process: "subprocess.Popen[str]", heard: "SimpleQueue[str]") -> None:
    """Pass on the hash of every transaction whose log is printed."""
    for line in process.stdout or ():
        if HASH in line:
            heard.put(line.partition(HASH)[2].strip())


class Cast:
    """cast with an account, and the contract that it deployed."""

    def __init__(self) -> None:
        self.given = settings()
        self.account = self.local("wallet", "address", self.given.key)
        self.contract = ""

    def local(self, *arguments: str) -> str:
        """Return what a command prints that must succeed."""
        done = run_cast(*arguments)
        expect(f"cast {arguments[0]}: {done.stderr.strip()}", done.returncode, 0)
        return done.stdout.strip()

    def __call__(self, command: str, *arguments: str) -> str:
        """Return what a command prints that must succeed, and asks the node."""
        return self.local(command, "--rpc-url", self.given.url, *arguments)

    def sent(self, *arguments: str) -> Any:
        """Send a transaction and return its receipt, which must say that it succeeded."""
        receipt = json.loads(self("send", "--private-key", self.given.key, "--json", *arguments))
        expect("status", receipt["status"], "0x1")
        return receipt

    def deploy(self) -> None:
        """Deploy bytecode with a constructor's argument behind it."""
        expect("chain", int(self("chain-id")), CHAIN_ID)
        expect("client", self("client").startswith("cvm/v"))
        receipt = self.sent("--create", f"{self.given.bytecode}{self.given.model[2:]}")
        self.contract = receipt["contractAddress"]
        expect("code", len(self("code", self.contract)) > 200)
        expect("computed", self.contract.lower() in self.created(receipt).lower())

    def created(self, receipt: Any) -> str:
        """Return the address that cast computes for the receipt's transaction."""
        nonce = int(self("tx", receipt["transactionHash"], "nonce"))
        return self.local("compute-address", self.account, "--nonce", str(nonce))

    def send(self) -> None:
        """Send ether in every way that cast has."""
        before = int(self("balance", BYSTANDER))
        for options, kind in (([], "0x2"), (["--legacy"], "0x0"), (["--sync"], "0x2")):
            receipt = self.sent(BYSTANDER, "--value", "1", *options)
            expect("receipt", (receipt["type"], receipt["gasUsed"]), (kind, "0x5208"))
            found = json.loads(self("receipt", receipt["transactionHash"], "--json"))
            expect("found", found["blockHash"], receipt["blockHash"])
        key = ["--private-key", self.given.key]
        raw = self("mktx", BYSTANDER, "--value", "1", *key)
        tx_hash = json.loads(self("publish", raw))["transactionHash"]
        expect("published", self("tx", tx_hash, "value"), "1")
        delegated = self.sent(BYSTANDER, "--value", "1", "--auth", self.contract)
        expect("EIP-7702", delegated["type"], "0x4")
        expect("balance", int(self("balance", BYSTANDER)), before + 5)
        expect("nonce", int(self("nonce", self.account)), 7)

    def read(self) -> None:
        """Read state and blocks by every tag."""
        expect("model", self("call", self.contract, "modelId()(bytes32)"), self.given.model)
        expect("slot", int(self("storage", self.contract, "0"), 16), 0)
        for tag in ("earliest", "latest", "pending", "safe", "finalized"):
            expect(tag, int(json.loads(self("block", tag, "--json"))["gasLimit"], 16) > 0)
            expect(f"balance at {tag}", int(self("balance", self.account, "--block", tag)) > 0)
        proof = json.loads(self("proof", self.contract, "0"))
        expect("proof", (len(proof["storageProof"]), len(proof["accountProof"]) > 0), (1, True))
        expect("age", self("age", "0"), self("age", "earliest"))

    def logs(self) -> None:
        """Find a log by its signature and its indexed argument."""
        receipt = self.sent(self.contract, CLASSIFY, self.given.image)
        where = ["--from-block", str(int(receipt["blockNumber"], 16)), "--address", self.contract]
        [log] = json.loads(self("logs", *where, CLASSIFIED, self.account, "--json"))
        expect("hash", log["transactionHash"], receipt["transactionHash"])
        expect("label", int(log["data"], 16), self.given.label)
        expect("others", json.loads(self("logs", *where, CLASSIFIED, BYSTANDER, "--json")), [])

    def subscribe(self) -> None:
        """Have logs streamed over a WebSocket."""
        command = ["cast", "logs", "--subscribe", "--address", self.contract, CLASSIFIED]
        with subprocess.Popen(
            [*command, "--rpc-url", self.given.ws_url],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            heard: SimpleQueue[str] = SimpleQueue()
            Thread(target=pass_on, args=(process, heard), daemon=True).start()
            try:
                self.send_until_heard(heard)
            finally:
                os.killpg(process.pid, signal.SIGTERM)

    def send_until_heard(self, heard: "SimpleQueue[str]") -> None:
        """Classify until a log of it is streamed: cast does not say when it has subscribed."""
        sent: set[str] = set()
        for _attempt in range(MAX_ATTEMPTS):
            sent.add(self.sent(self.contract, CLASSIFY, self.given.image)["transactionHash"])
            with suppress(Empty):
                expect("streamed", heard.get(timeout=ATTEMPT_S) in sent)
                return
        raise Unexpected("stream", None, sent)

    def model(self) -> None:
        """Ask the model by eth_call and cvm_infer, and run it in a transaction."""
        image, label = self.given.image, str(self.given.label)
        expect("call", self("call", self.contract, PREVIEW, image), label)
        used = int(self.sent(self.contract, CLASSIFY, image)["gasUsed"], 16)
        estimate = int(self("estimate", self.contract, CLASSIFY, image, "--from", self.account))
        expect("estimate", used <= estimate <= used * 102 // 100)
        expect("label", self("call", self.contract, "lastLabel()(uint256)"), label)
        asked = json.loads(self("rpc", "cvm_infer", self.given.model, image, "latest"))
        expect("cvm_infer", label_of(asked["output"]), self.given.label)
        listed = json.loads(
            self("access-list", self.contract, CLASSIFY, image, "--from", self.account, "--json")
        )
        expect("access list", len(listed["accessList"]) > 0)

    def errors(self) -> None:
        """See why the node refuses."""
        key = ["--private-key", self.given.key]
        bad = [self.contract, CLASSIFY, "0x00"]
        nonce = int(self("nonce", self.account))
        poor = [BYSTANDER, "--value", "1000000000000ether", "--gas-limit", "21000"]
        late = [BYSTANDER, "--value", "1", "--nonce", str(nonce - 1), "--gas-limit", "21000"]
        error = self.local("sig", "BadImageSize(uint256,uint256)")
        for command, words in (
            (["call", *bad], error),
            (["estimate", *bad], error),
            (["send", *bad, *key], error),
            (["send", *poor, *key], "insufficient funds"),
            (["send", *late, *key], "nonce too low"),
            (["rpc", "eth_nothing"], "the method eth_nothing does not exist"),
        ):
            done = run_cast(command[0], "--rpc-url", self.given.url, *command[1:])
            expect(f"cast {command[0]} fails", done.returncode != 0)
            expect(f"{words} in {done.stderr}", words in done.stderr)

    def fees(self) -> None:
        """Read what fees are."""
        price, base = int(self("gas-price")), int(self("base-fee"))
        expect("price", price >= base)
        history = json.loads(self("rpc", "eth_feeHistory", "0x4", "latest", "[25, 75]"))
        expect("history", (len(history["baseFeePerGas"]), len(history["reward"])), (5, 4))


def main() -> None:
    """Take every step."""
    cast = Cast()
    take_steps(
        *(cast.deploy, cast.send, cast.read, cast.logs, cast.subscribe),
        *(cast.model, cast.errors, cast.fees),
    )


if __name__ == "__main__":
    main()
