"""web3.py 8 against a node: HTTP, and subscriptions over WebSocket."""

import asyncio
from typing import Any

from eth_account import Account
from hexbytes import HexBytes
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, Web3RPCError
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.utils.subscriptions import LogsSubscription, NewHeadsSubscription

from tests.clients.scripts.steps import (
    BYSTANDER,
    CHAIN_ID,
    Settings,
    expect,
    label_of,
    settings,
    take_steps,
)

TIMEOUT_S = 60
SIZES = "uint256,uint256"
TAGS = ("earliest", "latest", "pending", "safe", "finalized")


class Client:
    """web3.py with an account that signs, and the contract that it deployed."""

    def __init__(self, given: Settings) -> None:
        self.given = given
        self.account = Account.from_key(given.key)
        self.w3: Any = Web3(Web3.HTTPProvider(given.url))  # web3 is typed only in part
        self.w3.middleware_onion.inject(
            SignAndSendRawMiddlewareBuilder.build(self.account), layer=0
        )
        self.w3.eth.default_account = self.account.address
        self.image = bytes.fromhex(given.image[2:])
        self.contract: Any = None

    def mined(self, tx_hash: Any) -> Any:
        """Wait for a receipt, as its users do."""
        return self.w3.eth.wait_for_transaction_receipt(tx_hash, TIMEOUT_S, poll_latency=0.05)

    def deploy(self) -> None:
        """Deploy the contract with a fee of EIP-1559 that web3.py works out."""
        expect("chain", (self.w3.is_connected(), self.w3.eth.chain_id), (True, CHAIN_ID))
        factory = self.w3.eth.contract(abi=self.given.abi, bytecode=self.given.bytecode)
        receipt = self.mined(factory.constructor(self.given.model).transact())
        expect("receipt", (receipt["status"], receipt["type"]), (1, 2))
        self.contract = self.w3.eth.contract(address=receipt["contractAddress"], abi=self.given.abi)
        expect("code", len(self.w3.eth.get_code(self.contract.address)) > 100)

    def send(self) -> None:
        """Send ether in a row, and with every kind of fee."""
        eth, to = self.w3.eth, Web3.to_checksum_address(BYSTANDER)
        before = eth.get_balance(to)
        price = {"gasPrice": 2 * eth.gas_price}
        cap = {"maxFeePerGas": 2 * eth.gas_price, "maxPriorityFeePerGas": eth.max_priority_fee}
        for kind, fee in (
            (0, price),
            (1, price | {"type": 1, "accessList": []}),
            (2, cap),
            (2, {}),
        ):
            receipt = self.mined(eth.send_transaction({"to": to, "value": 1} | fee))
            expect("kind", (receipt["status"], receipt["type"]), (1, kind))
            expect("gas", receipt["gasUsed"], 21_000)
        nonce = eth.get_transaction_count(self.account.address)
        sent = [
            eth.send_transaction({"to": to, "value": 1, "nonce": nonce + i, "gas": 21_000} | price)
            for i in (2, 1, 0)
        ]
        expect("in a row", [self.mined(tx)["status"] for tx in sent], [1, 1, 1])
        expect("balance", eth.get_balance(to), before + 7)

    def read(self) -> None:
        """Read state and blocks by every tag, one by one and in a batch."""
        eth, functions = self.w3.eth, self.contract.functions
        expect("model", functions.modelId().call().hex(), self.given.model[2:])
        for tag in TAGS:
            expect(tag, eth.get_block(tag, full_transactions=True)["gasLimit"] > 0)
            expect(f"balance at {tag}", eth.get_balance(self.account.address, tag) > 0)
        with self.w3.batch_requests() as batch:
            batch.add(functions.lastLabel())
            batch.add(eth.get_block("latest"))
            label, block = batch.execute()
        expect("batch", (label, block["number"] > 0), (0, True))
        proof = eth.get_proof(self.contract.address, [0], "latest")
        expect(
            "proof",
            (proof["storageProof"][0]["value"], len(proof["accountProof"]) > 0),
            (b"\0", True),
        )

    def logs(self) -> None:
        """Find a log in the receipt, by its range, and with a filter that is polled."""
        classified = self.contract.events.Classified
        polled = classified.create_filter(from_block="latest")
        polled.get_new_entries()
        receipt = self.mined(self.contract.functions.classify(self.image).transact())
        wanted = [(self.account.address, self.given.label)]
        number = receipt["blockNumber"]
        sender = {"sender": self.account.address}
        for what, found in (
            ("receipt", classified().process_receipt(receipt)),
            ("range", classified.get_logs(from_block=number, argument_filters=sender)),
            ("filter", polled.get_new_entries()),
        ):
            expect(what, [(log["args"]["sender"], log["args"]["label"]) for log in found], wanted)

    def subscribe(self) -> None:
        """Have heads and logs pushed over a WebSocket."""
        asyncio.run(self._subscribe())

    async def _subscribe(self) -> None:
        heads: list[int] = []
        labels: list[int] = []

        async def on_head(context: Any) -> None:
            heads.append(context.result["number"])
            await finish(context)

        async def on_log(context: Any) -> None:
            event = self.contract.events.Classified().process_log(context.result)
            labels.append(event["args"]["label"])
            await finish(context)

        async def finish(context: Any) -> None:
            if heads and labels:
                await context.async_w3.subscription_manager.unsubscribe_all()

        async with (
            asyncio.timeout(TIMEOUT_S),
            AsyncWeb3(WebSocketProvider(self.given.ws_url)) as w3,
        ):
            manager: Any = w3.subscription_manager
            await manager.subscribe(
                [
                    NewHeadsSubscription(handler=on_head),
                    LogsSubscription(address=self.contract.address, handler=on_log),
                ]
            )
            classify = self.contract.functions.classify(self.image)
            tx_hash = await asyncio.to_thread(classify.transact)
            await manager.handle_subscriptions()
            receipt = await w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.05)
        expect("pushed", (labels, receipt["status"]), ([self.given.label], 1))
        expect("heads", heads == list(range(heads[0], heads[0] + len(heads))))

    def model(self) -> None:
        """Ask the model by eth_call and cvm_infer, and run it in a transaction."""
        classify = self.contract.functions.classify(self.image)
        expect("call", self.contract.functions.preview(self.image).call(), self.given.label)
        used = self.mined(classify.transact())["gasUsed"]
        expect("estimate", used <= classify.estimate_gas() <= used * 102 // 100)
        expect("label", self.contract.functions.lastLabel().call(), self.given.label)
        asked = self.w3.manager.request_blocking(
            "cvm_infer", [self.given.model, self.given.image, "latest"]
        )
        expect("cvm_infer", label_of(asked["output"]), self.given.label)

    def errors(self) -> None:
        """See why the node refuses."""
        functions = self.contract.functions
        refused = [functions.preview(b"\0").call, functions.classify(b"\0").estimate_gas]
        for attempt in (*refused, functions.classify(b"\0").transact):
            try:
                attempt()
            except ContractCustomError as fault:
                data = HexBytes(str(fault.data))
                expect("custom error", data[:4], Web3.keccak(text=f"BadImageSize({SIZES})")[:4])
                expect("sizes", self.w3.codec.decode(SIZES.split(","), data[4:]), (1, 784))
            else:
                expect("a revert", found=None, wanted="ContractCustomError")
        nonce = self.w3.eth.get_transaction_count(self.account.address)
        poor = {"to": BYSTANDER, "value": 10**30, "gas": 21_000, "nonce": nonce}
        late = {"to": BYSTANDER, "value": 1, "gas": 21_000, "nonce": nonce - 1}
        for fields, words in ((poor, "insufficient funds"), (late, "nonce too low")):
            try:
                self.w3.eth.send_transaction(fields)
            except Web3RPCError as fault:
                expect(words, words in str(fault))
            else:
                expect("a refusal", found=None, wanted=words)

    def fees(self) -> None:
        """Read what fees are."""
        history = self.w3.eth.fee_history(4, "latest", [25, 75])
        expect("history", (len(history["baseFeePerGas"]), len(history["reward"])), (5, 4))
        expect("price", self.w3.eth.gas_price >= self.w3.eth.max_priority_fee)


def main() -> None:
    """Take every step."""
    client = Client(settings())
    take_steps(
        *(client.deploy, client.send, client.read, client.logs, client.subscribe),
        *(client.model, client.errors, client.fees),
    )


if __name__ == "__main__":
    main()
