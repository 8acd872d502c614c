import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import hardhatViem from "@nomicfoundation/hardhat-viem";
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

export default defineConfig({
  plugins: [hardhatViem, hardhatNodeTestRunner],
  solidity: {
    version: "0.8.30",
    // solc from npm: nothing else is downloaded.
    path: createRequire(import.meta.url).resolve("solc/soljson.js"),
    settings: { evmVersion: "prague", optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    cvm: { type: "http", url: process.env.CVM_RPC!, accounts: [process.env.CVM_KEY!] },
    // The node's own accounts, which it signs for.
    remote: { type: "http", url: process.env.CVM_RPC!, accounts: "remote" },
  },
});
