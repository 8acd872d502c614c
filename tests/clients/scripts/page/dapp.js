// A page with ethers 6 that knows nothing but the wallet which it finds.
import {
  BrowserProvider, ContractFactory, TypedDataEncoder, toBeHex, verifyMessage, verifyTypedData,
} from "ethers";

const { abi, bytecode, bystander, chainId, image, label, model, rpcUrls } = window.trial;
const wanted = BigInt(label);
const equal = (found, expected, what) => {
  const text = (value) => JSON.stringify(value, (_name, part) => (typeof part === "bigint" ? `${part}n` : part));
  if (text(found) !== text(expected)) throw new Error(`${what}: ${text(found)}, not ${text(expected)}`);
};
const refused = async (run, what) => {
  try {
    await run();
  } catch (fault) {
    return fault;
  }
  throw new Error(`not refused: ${what}`);
};

const found = new Promise((resolve) => {
  window.addEventListener("eip6963:announceProvider", ({ detail }) => resolve(detail.provider));
});
window.dispatchEvent(new Event("eip6963:requestProvider"));

let ethereum, provider, signer, contract, address;

const steps = {
  async deploy() {
    ethereum = await found;
    equal(ethereum === window.ethereum, true, "one wallet");
    const switched = { method: "wallet_switchEthereumChain", params: [{ chainId }] };
    equal((await refused(() => ethereum.request(switched), "unknown chain")).code, 4902, "code");
    const heard = new Promise((resolve) => ethereum.on("chainChanged", resolve));
    const chain = { chainId, chainName: "cvm dev", rpcUrls, nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 } };
    await ethereum.request({ method: "wallet_addEthereumChain", params: [chain] });
    equal(await heard, chainId, "chainChanged");
    [address] = await ethereum.request({ method: "eth_requestAccounts" });
    provider = new BrowserProvider(ethereum, undefined, { cacheTimeout: -1, pollingInterval: 100 });
    signer = await provider.getSigner();
    contract = await new ContractFactory(abi, bytecode, signer).deploy(model);
    await contract.waitForDeployment();
  },

  async send() {
    const before = await provider.getBalance(bystander);
    const receipt = await (await signer.sendTransaction({ to: bystander, value: 1n })).wait();
    equal([receipt.status, receipt.gasUsed, receipt.from], [1, 21_000n, address], "receipt");
    equal(await provider.getBalance(bystander), before + 1n, "balance");
    equal(verifyMessage("hello", await signer.signMessage("hello")), address, "personal_sign");
    const typed = [{ name: "trial", chainId: Number(chainId) }, { Mail: [{ name: "text", type: "string" }] }, { text: "hello" }];
    equal(verifyTypedData(...typed, await signer.signTypedData(...typed)), address, "typed data");
    equal(TypedDataEncoder.hash(...typed).length, 66, "hash");
  },

  async read() {
    equal([await contract.modelId(), await contract.lastLabel()], [model, 0n], "state");
    for (const tag of ["latest", "pending", "safe", "finalized"]) {
      equal((await provider.getBlock(tag)).gasLimit > 0n, true, tag);
    }
    equal(await ethereum.request({ method: "eth_chainId" }), chainId, "chain");
    equal(await ethereum.request({ method: "net_version" }), String(Number(chainId)), "network");
  },

  async logs() {
    const receipt = await (await contract.classify(image)).wait();
    const events = await contract.queryFilter(contract.filters.Classified(address), receipt.blockNumber);
    equal(events.map(({ args, transactionHash }) => [args.label, transactionHash]), [[wanted, receipt.hash]], "logs");
    const polled = new Promise((resolve) => contract.once("Classified", (_sender, seen) => resolve(seen)));
    await contract.listenerCount("Classified");
    await provider.getBlockNumber();
    await (await contract.classify(image)).wait();
    equal(await polled, wanted, "polled");
  },

  async subscribe() {
    const filter = { address: await contract.getAddress() };
    const heads = await ethereum.request({ method: "eth_subscribe", params: ["newHeads"] });
    const logs = await ethereum.request({ method: "eth_subscribe", params: ["logs", filter] });
    const next = (id) => new Promise((resolve) => {
      ethereum.on("message", ({ data }) => data.subscription === id && resolve(data.result));
    });
    const news = [next(heads), next(logs)];
    const sent = await contract.classify(image);
    const [head, log] = await Promise.all(news);
    equal([log.transactionHash, BigInt(log.data)], [sent.hash, wanted], "log");
    equal(/^0x[0-9a-f]{64}$/.test(head.hash), true, "head");
    equal(await ethereum.request({ method: "eth_unsubscribe", params: [logs] }), true, "unsubscribe");
    await sent.wait();
  },

  async model() {
    equal(await contract.preview(image), wanted, "preview");
    const { output } = await ethereum.request({ method: "cvm_infer", params: [model, image, "latest"] });
    equal(BigInt(output.slice(0, 18)), wanted, "cvm_infer");
    const estimate = await contract.classify.estimateGas(image);
    const { gasUsed } = await (await contract.classify(image)).wait();
    equal(gasUsed <= estimate && estimate <= (gasUsed * 102n) / 100n, true, "estimate");
    equal(await contract.lastLabel(), wanted, "label");
  },

  async errors() {
    const fault = await refused(() => contract.preview("0x00"), "a short image");
    equal([fault.code, fault.revert.name, [...fault.revert.args]], ["CALL_EXCEPTION", "BadImageSize", [1n, 784n]], "revert");
    const call = { to: await contract.getAddress(), data: contract.interface.encodeFunctionData("preview", ["0x00"]) };
    const raw = await refused(() => ethereum.request({ method: "eth_call", params: [call, "latest"] }), "a call");
    equal([raw.code, raw.message, raw.data.slice(0, 10)], [3, "execution reverted", "0x0287370a"], "EIP-1193");
    const poor = { to: bystander, from: address, value: toBeHex(10n ** 30n), gas: "0x5208" };
    const broke = await refused(() => ethereum.request({ method: "eth_sendTransaction", params: [poor] }), "no ether");
    equal([broke.code, broke.message.startsWith("insufficient funds")], [-32000, true], "funds");
    const unknown = await refused(() => ethereum.request({ method: "eth_nothing" }), "eth_nothing");
    equal(unknown.code, -32601, "unknown method");
  },

  async fees() {
    const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
    equal(maxFeePerGas > maxPriorityFeePerGas, true, "caps");
    const receipt = await (await signer.sendTransaction({ to: bystander, value: 1n })).wait();
    const { baseFeePerGas } = await provider.getBlock(receipt.blockNumber);
    equal([receipt.type, receipt.gasPrice >= baseFeePerGas], [2, true], "price");
  },
};

window.finished = (async () => {
  for (const [name, run] of Object.entries(steps)) {
    try {
      await run();
    } catch (fault) {
      return `${name}: ${fault.stack ?? fault}`;
    }
    document.querySelector("#steps").append(Object.assign(document.createElement("li"), { textContent: name }));
    console.log(`ok ${name}`);
  }
  return null;
})();
