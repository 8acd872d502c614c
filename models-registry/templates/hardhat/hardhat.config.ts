import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import hardhatViem from "@nomicfoundation/hardhat-viem";
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

// The first account of `cvm dev`. Its key is public: never send it anything of value.
const devKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

export default defineConfig({
  plugins: [hardhatViem, hardhatNodeTestRunner],
  solidity: {
    version: "0.8.30",
    // solc from npm, in the version of package.json: nothing else is downloaded.
    path: createRequire(import.meta.url).resolve("solc/soljson.js"),
    settings: { evmVersion: "prague", optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    cvm: {
      type: "http",
      url: process.env.CVM_RPC ?? "http://127.0.0.1:8545",
      accounts: [process.env.CVM_KEY ?? devKey],
    },
  },
});
