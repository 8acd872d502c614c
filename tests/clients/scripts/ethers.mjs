// ethers 6 against a node.
import assert from "node:assert/strict";
import {
  AbiCoder, Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider,
  verifyMessage, verifyTypedData,
} from "ethers";
import { bystander, chainId, labelOf, settings, step } from "./steps.mjs";

const { abi, bytecode } = settings.artifact;
const { image, label, model } = settings;
// ethers gives the same answer to the same question for 250 ms, unless told otherwise; blocks are faster.
const options = { cacheTimeout: -1, pollingInterval: 100 };
const provider = new JsonRpcProvider(settings.url, undefined, options);
const wallet = new Wallet(settings.key, provider);
let contract;

await step("deploy", async () => {
  assert.equal((await provider.getNetwork()).chainId, BigInt(chainId));
  contract = await new ContractFactory(abi, bytecode, wallet).deploy(model);
  await contract.waitForDeployment();
  assert.equal(contract.deploymentTransaction().type, 2);
  assert.ok((await provider.getCode(await contract.getAddress())).length > 100);
});

await step("send", async () => {
  const before = await provider.getBalance(bystander);
  const manager = new NonceManager(wallet);
  const sent = await Promise.all(
    [1n, 2n, 3n].map((value) => manager.sendTransaction({ to: bystander, value })),
  );
  for (const transaction of sent) {
    const receipt = await transaction.wait();
    assert.deepEqual([receipt.status, receipt.gasUsed], [1, 21_000n]);
    assert.equal((await provider.getTransaction(receipt.hash)).from, wallet.address);
  }
  assert.equal(await provider.getBalance(bystander), before + 6n);
  for (const overrides of [{ type: 0 }, { type: 1, accessList: [] }, { type: 2 }]) {
    const receipt = await (
      await wallet.sendTransaction({ to: bystander, value: 1n, ...overrides })
    ).wait();
    assert.deepEqual([receipt.status, receipt.type], [1, overrides.type]);
  }
  await sendThroughTheNode();
});

// The node has the keys of a development chain's accounts: pages and tests sign through it.
async function sendThroughTheNode() {
  const signer = await provider.getSigner(wallet.address);
  const receipt = await (await signer.sendTransaction({ to: bystander, value: 1n })).wait();
  assert.deepEqual([receipt.status, receipt.from], [1, wallet.address]);
  assert.equal(verifyMessage("hello", await signer.signMessage("hello")), wallet.address);
  const types = { Note: [{ name: "text", type: "string" }, { name: "at", type: "uint256[]" }] };
  const typed = [{ name: "notes", chainId }, types, { text: "hello", at: [1n, 2n ** 255n] }];
  assert.equal(verifyTypedData(...typed, await signer.signTypedData(...typed)), wallet.address);
}

await step("read", async () => {
  assert.equal(await contract.modelId(), model);
  assert.equal(await contract.lastLabel(), 0n);
  assert.equal(BigInt(await provider.getStorage(await contract.getAddress(), 0)), 0n);
  for (const tag of ["earliest", "latest", "pending", "safe", "finalized"]) {
    const block = await provider.getBlock(tag, true);
    assert.ok(block.number >= 0 && block.transactions.length >= 0, tag);
    assert.ok((await provider.getBalance(wallet.address, tag)) > 0n, tag);
  }
  const [block, count, network, code] = await Promise.all([  // one batch
    provider.getBlockNumber(), provider.getTransactionCount(wallet.address, "pending"),
    provider.send("net_version", []), provider.getCode(bystander),
  ]);
  assert.ok(block > 0 && count >= 7);
  assert.deepEqual([network, code], [String(chainId), "0x"]);
});

await step("logs", async () => {
  const receipt = await (await contract.classify(image)).wait();
  const [mine] = receipt.logs.map((log) => contract.interface.parseLog(log));
  assert.deepEqual([mine.name, mine.args.sender, mine.args.label], ["Classified", wallet.address, label]);
  const filter = contract.filters.Classified(wallet.address);
  const found = await contract.queryFilter(filter, receipt.blockNumber, "latest");
  assert.deepEqual(found.map((log) => log.transactionHash), [receipt.hash]);
  const others = await contract.queryFilter(contract.filters.Classified(bystander), 0, "latest");
  assert.deepEqual(others, []);
});

await step("subscribe", async () => {
  const socket = new WebSocketProvider(settings.wsUrl);
  const listening = contract.connect(socket);
  const heads = [];
  const heard = new Promise((resolve) => {
    listening.on("Classified", (_sender, found, event) => resolve([found, event.log.transactionHash]));
  });
  const waiting = new Promise((resolve) => socket.on("pending", resolve));
  const twoHeads = new Promise((resolve) => {
    socket.on("block", (number) => heads.push(number) === 2 && resolve());
  });
  await socket.getBlockNumber();
  await listening.listenerCount("Classified");
  const sent = await contract.classify(image);
  assert.deepEqual(await heard, [label, sent.hash]);
  assert.match(await waiting, /^0x[0-9a-f]{64}$/);
  await twoHeads;
  assert.equal(heads[1], heads[0] + 1);
  await sent.wait();
  await socket.destroy();
});

await step("model", async () => {
  assert.equal(await contract.preview(image), label);
  assert.equal(await contract.classify.staticCall(image), label);
  const { output, gasUsed } = await provider.send("cvm_infer", [model, image, "latest"]);
  assert.equal(labelOf(output), label);
  assert.ok(Number(gasUsed) > 21_000);
  const estimate = await contract.classify.estimateGas(image);
  const receipt = await (await contract.classify(image)).wait();
  assert.ok(receipt.gasUsed <= estimate && estimate <= (receipt.gasUsed * 102n) / 100n);
  assert.equal((await provider.send("cvm_getModel", [model])).status, "active");
});

await step("errors", async () => {
  for (const call of [contract.preview, contract.classify.estimateGas, contract.classify]) {
    await assert.rejects(call("0x00"), (fault) => {
      const { name, args } = contract.interface.parseError(fault.data);
      assert.deepEqual([fault.code, name, ...args], ["CALL_EXCEPTION", "BadImageSize", 1n, 784n]);
      return true;
    });
  }
  const reverted = await contract.classify("0x00", { gasLimit: 100_000n });
  await assert.rejects(reverted.wait(), (fault) => fault.receipt.status === 0);
  const nonce = await provider.getTransactionCount(wallet.address);
  const rich = { to: bystander, value: 10n ** 30n, gasLimit: 21_000n };
  await assert.rejects(wallet.sendTransaction(rich), { code: "INSUFFICIENT_FUNDS" });
  const unpayable = { to: bystander, value: 10n ** 30n };
  await assert.rejects(wallet.sendTransaction(unpayable), { code: "INSUFFICIENT_FUNDS" });
  const late = { to: bystander, value: 1n, nonce: nonce - 1 };
  await assert.rejects(wallet.sendTransaction(late), { code: "NONCE_EXPIRED" });
  const ahead = { to: bystander, value: 1n, nonce: nonce + 1 };
  await wallet.sendTransaction(ahead);
  const cheap = { ...ahead, value: 2n };
  await assert.rejects(wallet.sendTransaction(cheap), { code: "REPLACEMENT_UNDERPRICED" });
  await (await wallet.sendTransaction({ to: bystander, value: 1n, nonce })).wait();
  const nobody = new Contract(bystander, abi, provider);
  await assert.rejects(nobody.lastLabel(), { code: "BAD_DATA" });
});

await step("fees", async () => {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
  const { baseFeePerGas } = await provider.getBlock("latest");
  assert.ok(gasPrice >= maxPriorityFeePerGas && maxFeePerGas > maxPriorityFeePerGas);
  assert.ok(maxFeePerGas > baseFeePerGas);
  const history = await provider.send("eth_feeHistory", ["0x4", "latest", [25, 75]]);
  assert.deepEqual([history.baseFeePerGas.length, history.reward.length], [5, 4]);
  const receipt = await (await wallet.sendTransaction({ to: bystander, value: 1n })).wait();
  const block = await provider.getBlock(receipt.blockNumber);
  assert.ok(receipt.gasPrice >= block.baseFeePerGas);
  assert.equal(receipt.fee, receipt.gasPrice * 21_000n);
  assert.equal(AbiCoder.defaultAbiCoder().encode(["uint256"], [1n]).length, 66);
});

provider.destroy();
