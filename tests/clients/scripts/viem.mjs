// viem 2 against a node.
import assert from "node:assert/strict";
import {
  BaseError, ContractFunctionRevertedError, InsufficientFundsError, NonceTooLowError,
  createPublicClient, createWalletClient, defineChain,
  encodeFunctionData, fallback, http, nonceManager, webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { bystander, chainId, labelOf, settings, step } from "./steps.mjs";

const { abi, bytecode } = settings.artifact;
const { image, label, model } = settings;
const account = privateKeyToAccount(settings.key);
const chain = defineChain({
  id: chainId,
  name: "cvm dev",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [settings.url], webSocket: [settings.wsUrl] } },
});
const transport = fallback([http(settings.url, { batch: true })]);
const client = createPublicClient({ chain, transport, pollingInterval: 100 });
const wallet = createWalletClient({ account, chain, transport });
const mined = (hash) => client.waitForTransactionReceipt({ hash });
let contract;

await step("deploy", async () => {
  assert.equal(await client.getChainId(), chainId);
  const receipt = await mined(await wallet.deployContract({ abi, bytecode, args: [model] }));
  assert.deepEqual([receipt.status, receipt.type], ["success", "eip1559"]);
  contract = { abi, address: receipt.contractAddress };
  assert.ok((await client.getCode(contract)).length > 100);
});

await step("send", async () => {
  const before = await client.getBalance({ address: bystander });
  const managed = privateKeyToAccount(settings.key, { nonceManager });
  const hashes = await Promise.all(
    [1n, 2n, 3n].map((value) => wallet.sendTransaction({ account: managed, to: bystander, value })),
  );
  for (const receipt of await Promise.all(hashes.map(mined))) {
    assert.deepEqual([receipt.status, receipt.gasUsed], ["success", 21_000n]);
  }
  assert.equal(await client.getBalance({ address: bystander }), before + 6n);
  for (const type of ["legacy", "eip2930", "eip1559"]) {
    const hash = await wallet.sendTransaction({ to: bystander, value: 1n, type });
    assert.equal((await mined(hash)).type, type);
    assert.equal((await client.getTransaction({ hash })).type, type);
  }
  const authorization = await wallet.signAuthorization({
    contractAddress: contract.address, executor: "self",
  });
  const delegating = await wallet.sendTransaction({
    to: bystander, authorizationList: [authorization],
  });
  assert.equal((await mined(delegating)).type, "eip7702");
  const code = await client.getCode({ address: account.address });
  assert.equal(code, `0xef0100${contract.address.slice(2)}`);
});

await step("read", async () => {
  const read = (functionName) => client.readContract({ ...contract, functionName });
  assert.deepEqual(await Promise.all([read("modelId"), read("lastLabel")]), [model, 0n]);
  const proof = await client.getProof({ ...contract, storageKeys: [`0x${"00".repeat(32)}`] });
  assert.equal(proof.storageProof[0].value, 0n);
  for (const blockTag of ["earliest", "latest", "pending", "safe", "finalized"]) {
    const block = await client.getBlock({ blockTag, includeTransactions: true });
    assert.ok(block.gasLimit > 0n, blockTag);
    assert.ok((await client.getBalance({ address: account.address, blockTag })) > 0n, blockTag);
  }
  assert.ok((await client.getTransactionCount({ address: account.address })) >= 9);
});

await step("logs", async () => {
  const hash = await wallet.writeContract({ ...contract, functionName: "classify", args: [image] });
  const { blockNumber } = await mined(hash);
  const found = await client.getContractEvents({
    ...contract, eventName: "Classified", args: { sender: account.address }, fromBlock: blockNumber,
  });
  assert.deepEqual(found.map((log) => [log.transactionHash, log.args.label]), [[hash, label]]);
  const filter = await client.createContractEventFilter({ ...contract, eventName: "Classified" });
  assert.deepEqual(await client.getFilterChanges({ filter }), []);
  const next = await wallet.writeContract({ ...contract, functionName: "classify", args: [image] });
  await mined(next);
  const changes = await client.getFilterChanges({ filter });
  assert.deepEqual(changes.map((log) => log.transactionHash), [next]);
  assert.equal(await client.uninstallFilter({ filter }), true);
});

await step("subscribe", async () => {
  const socket = createPublicClient({ chain, transport: webSocket(settings.wsUrl) });
  const next = (watch, field) => new Promise((resolve, reject) => {
    const stop = watch({ onError: reject, [field]: (news) => { stop(); resolve(news); } });
  });
  const heads = next((on) => socket.watchBlocks(on), "onBlock");
  const logs = next((on) => socket.watchContractEvent({ ...contract, ...on }), "onLogs");
  const pending = next((on) => socket.watchPendingTransactions(on), "onTransactions");
  await socket.getBlockNumber();
  const hash = await wallet.writeContract({ ...contract, functionName: "classify", args: [image] });
  const [log] = await logs;
  assert.deepEqual([log.eventName, log.args.label, log.transactionHash], ["Classified", label, hash]);
  assert.match((await pending)[0], /^0x[0-9a-f]{64}$/);
  assert.ok((await heads).number > 0n);
  await mined(hash);
  const { subscribe } = socket.transport;
  const heard = new Promise((resolve) => {
    subscribe({ params: ["newHeads"], onData: ({ result }) => resolve(result), onError: resolve });
  });
  assert.match((await heard).hash, /^0x[0-9a-f]{64}$/);
  (await socket.transport.getRpcClient()).close();
});

await step("model", async () => {
  const call = { ...contract, functionName: "classify", args: [image], account };
  assert.equal(
    await client.readContract({ ...contract, functionName: "preview", args: [image] }), label,
  );
  const { request, result } = await client.simulateContract(call);
  assert.equal(result, label);
  const estimate = await client.estimateContractGas(call);
  const { gasUsed } = await mined(await wallet.writeContract(request));
  assert.ok(gasUsed <= estimate && estimate <= (gasUsed * 102n) / 100n);
  const inferred = await client.request({ method: "cvm_infer", params: [model, image, "latest"] });
  assert.equal(labelOf(inferred.output), label);
  const data = encodeFunctionData(call);
  const { accessList } = await client.createAccessList({ account, to: contract.address, data });
  assert.ok(accessList.some((entry) => entry.address === contract.address.toLowerCase()));
  const { results } = await client.simulateCalls({ account, calls: [{ ...call, to: call.address }] });
  assert.deepEqual([results[0].result, results[0].logs.length], [label, 1]);
});

await step("errors", async () => {
  const bad = { ...contract, functionName: "preview", args: ["0x00"] };
  await assert.rejects(client.readContract(bad), (fault) => {
    assert.ok(fault instanceof BaseError);
    const { data } = fault.walk((cause) => cause instanceof ContractFunctionRevertedError);
    assert.deepEqual([data.errorName, data.args], ["BadImageSize", [1n, 784n]]);
    return true;
  });
  const causes = (wanted) => (fault) => fault.walk((cause) => cause instanceof wanted) !== null;
  await assert.rejects(
    wallet.sendTransaction({ to: bystander, value: 10n ** 30n, gas: 21_000n }),
    causes(InsufficientFundsError),
  );
  await assert.rejects(
    client.estimateGas({ account, to: bystander, value: 10n ** 30n, maxFeePerGas: 10n ** 9n }),
    causes(InsufficientFundsError),
  );
  await assert.rejects(
    wallet.sendTransaction({ to: bystander, value: 1n, nonce: 0, gas: 21_000n }),
    causes(NonceTooLowError),
  );
  await assert.rejects(client.request({ method: "eth_nothing" }), { code: -32601 });
});

await step("fees", async () => {
  const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
  assert.ok(maxFeePerGas > maxPriorityFeePerGas);
  assert.ok((await client.getGasPrice()) > 0n);
  const history = await client.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
  assert.deepEqual([history.baseFeePerGas.length, history.reward.length], [5, 4]);
  const prepared = await wallet.prepareTransactionRequest({ to: bystander, value: 1n });
  assert.deepEqual([prepared.type, prepared.gas], ["eip1559", 21_000n]);
  const receipt = await mined(await wallet.sendTransaction(prepared));
  const { baseFeePerGas } = await client.getBlock(receipt);
  assert.ok(receipt.effectiveGasPrice >= baseFeePerGas);
});
