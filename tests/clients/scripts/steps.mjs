// What every client in JavaScript shares: its settings, and how it tells which steps it has done.
import { readFileSync } from "node:fs";

const { CVM_RPC, CVM_WS, CVM_KEY, CVM_MODEL, CVM_IMAGE, CVM_LABEL, CVM_ARTIFACT } = process.env;

export const settings = {
  url: CVM_RPC,
  wsUrl: CVM_WS,
  key: CVM_KEY,
  model: CVM_MODEL,
  image: readFileSync(CVM_IMAGE, "utf8").trim(),
  label: BigInt(CVM_LABEL),
  artifact: JSON.parse(readFileSync(CVM_ARTIFACT, "utf8")),
};

export const chainId = 31337;
export const bystander = "0x00000000000000000000000000000000000B0b00";

// A step that does not end is a failure too; the matrix gives up on the whole client later than this.
const STEP_TIMEOUT_MS = 60_000;

export async function step(name, run) {
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`no end after ${STEP_TIMEOUT_MS} ms`)), STEP_TIMEOUT_MS).unref();
  });
  try {
    await Promise.race([run(), late]);
  } catch (fault) {
    console.error(`${name}:`, fault);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}

// The model's first output is its label, one int64, big-endian.
export const labelOf = (output) => BigInt.asIntN(64, BigInt(output.slice(0, 18)));
