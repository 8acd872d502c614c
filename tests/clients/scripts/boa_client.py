"""titanoboa against a node: a contract in Vyper, with models of the node in boa's own EVM."""

import os
import warnings
from pathlib import Path
from typing import Any

import boa
from boa.rpc import RPCError
from boa.vm.py_evm import register_raw_precompile
from eth_account import Account

from tests.clients.scripts.steps import (
    BYSTANDER,
    CHAIN_ID,
    Unexpected,
    expect,
    label_of,
    settings,
    take_steps,
)

PRECOMPILES = (
    "0x0000000000000000000000000000000000000c00",  # INFER
    "0x0000000000000000000000000000000000000c01",  # MODELINFO
)
TRANSFER_GAS = 21_000


def connect_models(rpc: Any) -> None:
    """Let boa's own EVM run models, by asking the node.

    boa runs each message itself before it sends it, in py-evm, which has no INFER: what is put at
    the precompiles' addresses asks the node by eth_call. A model that refuses is an `RPCError`.
    """
    for address in PRECOMPILES:
        register_raw_precompile(address, lambda computation, to=address: ask(rpc, to, computation))


def ask(rpc: Any, to: str, computation: Any) -> Any:
    """Answer a call of a precompile as the node does."""
    data = f"0x{computation.msg.data_as_bytes.hex()}"
    answer = rpc.fetch("eth_call", [{"to": to, "data": data}, "latest"])
    computation.output = bytes.fromhex(answer[2:])
    return computation


class Client:
    """titanoboa with an account, and the contract that it deployed."""

    def __init__(self) -> None:
        self.given = settings()
        self.account = Account.from_key(self.given.key)
        self.image = bytes.fromhex(self.given.image[2:])
        boa.set_network_env(self.given.url)
        self.env: Any = boa.env
        self.rpc: Any = self.env._rpc
        self.env.add_account(self.account)
        connect_models(self.rpc)
        self.contract: Any = None

    def deploy(self) -> None:
        """Compile, deploy with a fee that boa works out, and read the code."""
        expect("chain", int(self.rpc.fetch("eth_chainId", []), 16), CHAIN_ID)
        source = Path(os.environ["CVM_VYPER_SOURCES"]) / "DigitReader.vy"
        self.contract = boa.load(str(source), bytes.fromhex(self.given.model[2:]))
        code = self.rpc.fetch("eth_getCode", [str(self.contract.address), "latest"])
        expect("code", len(code) > 200)

    def send(self) -> None:
        """Send ether, with both kinds of fee."""
        before = self.env.get_balance(BYSTANDER)
        for _ in range(2):
            self.env.execute_code(to_address=BYSTANDER, value=1, gas=TRANSFER_GAS)
        expect("balance", self.env.get_balance(BYSTANDER), before + 2)

    def read(self) -> None:
        """Read what the contract keeps."""
        expect("model", self.contract.model_id().hex(), self.given.model[2:])
        expect("label", (self.contract.last_label(), self.contract.is_ready()), (0, True))
        expect("storage", self.contract._storage.last_label.get(), 0)

    def logs(self) -> None:
        """Find the log of a transaction where boa keeps it, and on the node."""
        self.contract.classify(self.image)
        [event] = self.contract.get_logs()
        expect("label", (event.sender, event.label), (self.account.address, self.given.label))
        wanted = {"address": str(self.contract.address), "fromBlock": "0x0"}
        [log] = self.rpc.fetch("eth_getLogs", [wanted])
        expect("data", int(log["data"], 16), self.given.label)

    def model(self) -> None:
        """Ask the model by eth_call and cvm_infer, and run it in a transaction."""
        expect("call", self.contract.preview(self.image), self.given.label)
        expect("transaction", self.contract.classify(self.image), self.given.label)
        expect("kept", self.contract.last_label(), self.given.label)
        asked = self.rpc.fetch("cvm_infer", [self.given.model, self.given.image, "latest"])
        expect("cvm_infer", label_of(asked["output"]), self.given.label)

    def errors(self) -> None:
        """See why a call and a transaction revert."""
        try:
            self.contract.preview(self.image[1:])
        except RPCError as fault:
            expect("call", (fault.code, "execution reverted: 784 bytes" in str(fault)), (3, True))
        else:
            raise Unexpected("call", None, "a revert")
        with boa.reverts("784 bytes"):
            self.contract.classify(self.image[1:])

    def fees(self) -> None:
        """Work out fees from the node's answers to a batch."""
        base, tip, cap, chain = self.env.get_eip1559_fee()
        expect("chain", int(chain, 16), CHAIN_ID)
        expect("fees", int(cap, 16) == int(base, 16) + int(tip, 16))
        expect("price", self.env.get_gas_price() > 0)


def main() -> None:
    """Take every step that boa can take: it subscribes to nothing."""
    warnings.filterwarnings("ignore", "debug_traceTransaction not available")
    client = Client()
    take_steps(
        *(client.deploy, client.send, client.read, client.logs),
        *(client.model, client.errors, client.fees),
    )


if __name__ == "__main__":
    main()
