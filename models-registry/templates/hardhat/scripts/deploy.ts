import { network } from "hardhat";

const { viem } = await network.create();
const reader = await viem.deployContract("DigitReader");
console.log(`DigitReader is at ${reader.address}`);
