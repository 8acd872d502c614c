import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import type { Hex } from "viem";

// These tests run on the node itself, since no other EVM knows INFER: `npm test`.
describe("DigitReader", async () => {
  const { viem } = await network.create();
  const file = await readFile(new URL("two.hex", import.meta.url), "utf8");
  const two = file.trim() as Hex;
  const blank = `0x${"00".repeat(784)}` as Hex;
  let reader: Awaited<ReturnType<typeof viem.deployContract<"DigitReader">>>;

  before(async () => {
    reader = await viem.deployContract("DigitReader");
  });

  it("finds the model active, at its price", async () => {
    assert.deepEqual(await reader.read.price([1n]), [true, 5_500n]);
  });

  it("reads a two, remembers and logs it", async () => {
    const client = await viem.getPublicClient();
    const hash = await reader.write.read([two]);
    const receipt = await client.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    assert.equal(await reader.read.lastLabel(), 2n);
    const [event] = await reader.getEvents.Read({}, { blockHash: receipt.blockHash });
    assert.equal(event.args.label, 2n);
  });

  it("reads a batch in one call of the model", async () => {
    const labels = await reader.read.previewAll([[two, blank, two]]);
    assert.equal(labels.length, 3);
    assert.deepEqual([labels[0], labels[2]], [2n, 2n]);
  });

  it("refuses an image of another size", async () => {
    await assert.rejects(reader.read.preview(["0x00"]), /BadTensorSize/);
  });
});
