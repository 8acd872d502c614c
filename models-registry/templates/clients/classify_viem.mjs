// Classify an image with viem 2: node classify_viem.mjs CONTRACT IMAGE.hex
import { readFileSync } from "node:fs";
import { createWalletClient, defineChain, http, parseAbi, publicActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";

// The first account of `cvm dev`. Its key is public: never send it anything of value.
const devKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const url = process.env.CVM_RPC ?? "http://127.0.0.1:8545";
const chain = defineChain({
  id: 31337,
  name: "cvm dev",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [url] } },
});
const abi = parseAbi([
  "function preview(bytes image) view returns (uint256 label)",
  "function classify(bytes image) returns (uint256 label)",
  "function lastLabel() view returns (uint256)",
]);

const [address, file] = process.argv.slice(2);
const image = readFileSync(file, "utf8").trim();
const account = privateKeyToAccount(process.env.CVM_KEY ?? devKey);
const client = createWalletClient({ account, chain, transport: http(url) }).extend(publicActions);
const contract = { address, abi };

const label = await client.readContract({ ...contract, functionName: "preview", args: [image] });
console.log(`preview ${label}`);
const hash = await client.writeContract({ ...contract, functionName: "classify", args: [image] });
await client.waitForTransactionReceipt({ hash, pollingInterval: 200 });
console.log(`stored ${await client.readContract({ ...contract, functionName: "lastLabel" })}`);
