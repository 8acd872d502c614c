// A page in headless Chromium, with a wallet, against a node that lets the page's origin ask.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import puppeteer from "puppeteer-core";
import { bystander, chainId, settings } from "./steps.mjs";

const origin = new URL(process.env.CVM_PAGE);
const file = (path) => readFileSync(new URL(path, import.meta.url));
const files = {
  "/": ["text/html", file("page/index.html")],
  "/wallet.js": ["text/javascript", file("page/wallet.js")],
  "/dapp.js": ["text/javascript", file("page/dapp.js")],
  "/ethers.js": ["text/javascript", file("node_modules/ethers/dist/ethers.min.js")],
};
const trial = {
  ...settings.artifact, bystander, key: settings.key, model: settings.model, image: settings.image,
  label: String(settings.label), chainId: `0x${chainId.toString(16)}`,
  rpcUrls: [settings.url, settings.wsUrl],
};

const server = createServer((request, response) => {
  const [type, body] = files[request.url] ?? ["text/plain", "nothing here"];
  response.writeHead(request.url in files ? 200 : 404, { "content-type": type }).end(body);
});
await new Promise((resolve) => server.listen(origin.port, "127.0.0.1", resolve));

const browser = await puppeteer.launch({
  executablePath: process.env.CVM_BROWSER,
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
let failure = "not started";
try {
  failure = (await ofAnotherOrigin()) ?? (await ofThePage());
} finally {
  await browser.close();
  server.close();
}
if (failure !== null) console.error(failure);
process.exitCode = failure === null ? 0 : 1;

// A page of an origin that the node does not name can neither read answers nor open a WebSocket.
async function ofAnotherOrigin() {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${origin.port}/nothing`);
  const [fetched, opened] = await page.evaluate(async (url, wsUrl) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
    const headers = { "content-type": "application/json" };
    const fetched = await fetch(url, { method: "POST", headers, body }).then(() => "read", () => "refused");
    const opened = await new Promise((resolve) => {
      const socket = new WebSocket(wsUrl);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    });
    return [fetched, opened];
  }, settings.url, settings.wsUrl);
  await page.close();
  assert.deepEqual([fetched, opened], ["refused", "refused"]);
  return null;
}

async function ofThePage() {
  const page = await browser.newPage();
  page.on("console", (message) => console.log(message.text()));
  page.on("pageerror", (fault) => console.error(fault));
  await page.evaluateOnNewDocument((given) => { window.trial = given; }, trial);
  await page.goto(origin.href);
  return page.evaluate(() => window.finished);
}
