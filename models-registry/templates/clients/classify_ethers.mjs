// Classify an image with ethers 6: node classify_ethers.mjs CONTRACT IMAGE.hex
import { readFileSync } from "node:fs";
import { Contract, JsonRpcProvider, Wallet } from "ethers";

// The first account of `cvm dev`. Its key is public: never send it anything of value.
const devKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const abi = [
  "function preview(bytes image) view returns (uint256 label)",
  "function classify(bytes image) returns (uint256 label)",
  "function lastLabel() view returns (uint256)",
];

const [address, file] = process.argv.slice(2);
const image = readFileSync(file, "utf8").trim();
const provider = new JsonRpcProvider(process.env.CVM_RPC ?? "http://127.0.0.1:8545");
const contract = new Contract(address, abi, new Wallet(process.env.CVM_KEY ?? devKey, provider));

console.log(`preview ${await contract.preview(image)}`);
const sent = await contract.classify(image);
await sent.wait();
console.log(`stored ${await contract.lastLabel()}`);
provider.destroy();
