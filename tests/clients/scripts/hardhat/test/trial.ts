// Hardhat 3 with viem against a node; each test says which step it is.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { network } from "hardhat";
import type { Hex } from "viem";
import { bystander, chainId, labelOf, settings } from "../../steps.mjs";

const done: string[] = [];
const step = (name: string, run: () => Promise<void>) =>
  it(name, async () => {
    await run();
    done.push(name);
  });

describe("hardhat", async () => {
  const { viem, provider } = await network.create("cvm");
  const client = await viem.getPublicClient({ pollingInterval: 100 });
  const [wallet] = await viem.getWalletClients();
  const image = settings.image as Hex;
  const mined = (hash: Hex) => client.waitForTransactionReceipt({ hash });
  const deployed = () => viem.deployContract("DigitClassifier", [settings.model as Hex]);
  let classifier: Awaited<ReturnType<typeof deployed>>;

  after(() => console.log(done.map((name) => `ok ${name}`).join("\n")));

  step("deploy", async () => {
    assert.equal(await client.getChainId(), chainId);
    classifier = await deployed();
    assert.ok((await client.getCode({ address: classifier.address }))!.length > 100);
  });

  step("send", async () => {
    const before = await client.getBalance({ address: bystander });
    const receipt = await mined(await wallet.sendTransaction({ to: bystander, value: 1n }));
    assert.deepEqual([receipt.status, receipt.gasUsed], ["success", 21_000n]);
    const remote = await network.create("remote");
    const [theirs] = await remote.viem.getWalletClients();
    await mined(await theirs.sendTransaction({ to: bystander, value: 1n }));
    const signature = await theirs.signMessage({ message: "hello" });
    const { address } = theirs.account;
    assert.ok(await client.verifyMessage({ address, message: "hello", signature }));
    const typed = {
      domain: { name: "notes", chainId },
      types: { Note: [{ name: "text", type: "string" }] },
      primaryType: "Note",
      message: { text: "hello" },
    } as const;
    const signed = await theirs.signTypedData(typed);
    assert.ok(await client.verifyTypedData({ address, ...typed, signature: signed }));
    assert.equal(await client.getBalance({ address: bystander }), before + 2n);
  });

  step("read", async () => {
    assert.equal(await classifier.read.modelId(), settings.model);
    assert.equal(await classifier.read.lastLabel(), 0n);
    assert.ok((await client.getBlock({ blockTag: "finalized" })).gasLimit > 0n);
  });

  step("logs", async () => {
    const receipt = await mined(await classifier.write.classify([image]));
    const { blockHash } = receipt;
    const [event] = await classifier.getEvents.Classified({ sender: wallet.account.address }, { blockHash });
    assert.equal(event.args.label, settings.label);
    assert.equal(await classifier.read.lastLabel(), settings.label);
  });

  step("subscribe", async () => {
    const heard = new Promise((resolve, reject) => {
      const stop = classifier.watchEvent.Classified(
        {}, { onLogs: (logs) => { stop(); resolve(logs[0].args.label); }, onError: reject },
      );
    });
    await client.getBlockNumber();
    await mined(await classifier.write.classify([image]));
    assert.equal(await heard, settings.label);
  });

  step("model", async () => {
    assert.equal(await classifier.read.preview([image]), settings.label);
    const params = [settings.model, image, "latest"];
    const { output } = (await provider.request({ method: "cvm_infer", params })) as { output: Hex };
    assert.equal(labelOf(output), settings.label);
    const estimate = await classifier.estimateGas.classify([image]);
    const { gasUsed } = await mined(await classifier.write.classify([image]));
    assert.ok(gasUsed <= estimate && estimate <= (gasUsed * 102n) / 100n);
  });

  step("errors", async () => {
    await assert.rejects(classifier.read.preview(["0x00"]), /BadImageSize\(uint256 given, uint256 expected\)\s+\(1, 784\)/);
    await assert.rejects(classifier.write.classify(["0x00"]), /BadImageSize/);
    const rich = { to: bystander, value: 10n ** 30n, gas: 21_000n } as const;
    await assert.rejects(wallet.sendTransaction(rich), /insufficient funds/);
  });

  step("fees", async () => {
    const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
    assert.ok(maxFeePerGas > maxPriorityFeePerGas);
    const hash = await wallet.sendTransaction({ to: bystander, value: 1n });
    assert.equal((await mined(hash)).type, "eip1559");
  });
});
