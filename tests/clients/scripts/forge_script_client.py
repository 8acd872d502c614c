"""forge script against a node: a deployment that runs a model, and what reads it afterwards."""

import json
import subprocess
from typing import Any

from tests.clients.scripts.forge import PROJECT, run_forge
from tests.clients.scripts.steps import BYSTANDER, CHAIN_ID, expect, settings, take_steps

SCRIPT = "script/Trial.s.sol"
BROADCAST = PROJECT / "broadcast" / "Trial.s.sol" / str(CHAIN_ID) / "run-latest.json"
TRANSFER_GAS, MODEL_GAS = 21_000, 5_500
SENDING = ("--broadcast", "--slow", "--skip-simulation")
"""One after the other, as the last needs the first, and by the node's own estimates of gas: forge's
second simulation runs in a fresh EVM, in which no model can be connected."""


class ForgeScript:
    """forge with the project beside this file, and what its scripts did."""

    def __init__(self) -> None:
        self.given = settings()
        self.contract = ""
        self.sent: list[Any] = []
        self.receipts: list[Any] = []

    def forge(self, contract: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a script of the file to its end, whatever that is."""
        return run_forge("script", f"{SCRIPT}:{contract}", "--rpc-url", "cvm", *arguments)

    def deploy(self) -> None:
        """Compile, deploy, send ether, and run the model, in one script."""
        done = self.forge("Deploy", *SENDING)
        expect(done.stdout[-2000:] + done.stderr[-2000:], done.returncode, 0)
        run = json.loads(BROADCAST.read_text())
        self.sent, self.receipts = run["transactions"], run["receipts"]
        expect("kinds", [sent["transactionType"] for sent in self.sent], ["CREATE", "CALL", "CALL"])
        self.contract = self.sent[0]["contractAddress"]
        expect("created", self.receipts[0]["contractAddress"].lower(), self.contract.lower())

    def send(self) -> None:
        """See that every transaction succeeded."""
        expect("status", [receipt["status"] for receipt in self.receipts], ["0x1"] * 3)
        expect("to", self.receipts[1]["to"].lower(), BYSTANDER.lower())
        expect("gas of a transfer", self.receipts[1]["gasUsed"], "0x5208")

    def read(self) -> None:
        """Run the script that reads storage, logs and the model."""
        call = ["--sig", "run(address)", self.contract]
        done = self.forge("Read", *call)
        expect(done.stdout[-2000:] + done.stderr[-2000:], done.returncode, 0)

    def logs(self) -> None:
        """See the log in the receipt that forge saved; `Read` has searched for it."""
        [log] = self.receipts[2]["logs"]
        expect("label", int(log["data"], 16), self.given.label)

    def model(self) -> None:
        """See that running the model was paid for, by the node's own estimate."""
        expect("function", self.sent[2]["function"], "classify(bytes)")
        expect("gas", int(self.receipts[2]["gasUsed"], 16) > TRANSFER_GAS + MODEL_GAS)

    def errors(self) -> None:
        """See why a transaction is refused, with the error that the contract declares."""
        done = self.forge("Refused", "--sig", "run(address)", self.contract, *SENDING)
        expect("status", done.returncode, 1)
        expect(done.stderr, "BadImageSize(1, 784)" in done.stderr)

    def fees(self) -> None:
        """See that transactions had the fee fields of EIP-1559, and what they paid."""
        expect("type", {receipt["type"] for receipt in self.receipts}, {"0x2"})
        expect("price", all(int(got["effectiveGasPrice"], 16) > 0 for got in self.receipts))


def main() -> None:
    """Take every step that a script can take: it subscribes to nothing."""
    client = ForgeScript()
    take_steps(
        *(client.deploy, client.send, client.read, client.logs),
        *(client.model, client.errors, client.fees),
    )


if __name__ == "__main__":
    main()
