// One node of @ethereumjs/devp2p with a small capability, told what to do by lines of JSON.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, port] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${folder}/${path}`).href);
const { RLPx } = await load("@ethereumjs/devp2p/dist/esm/index.js");
const { default: snappy } = await load("snappyjs/index.js");

const TELL = 0, ASK = 1, ANSWER = 2;
const told = [];
const answers = new Map();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

class Echo {
  constructor(version, peer, send) {
    this.send = (code, data) => send(code, snappy.compress(data));
    peer.echo = this;
  }
  _handleMessage(code, payload) {
    if (code === TELL) told.push(Buffer.from(payload).toString("latin1"));
    if (code === ASK) this.send(ANSWER, payload);
    if (code === ANSWER) answers.get(Buffer.from(payload).toString("hex"))?.();
  }
}

const rlpx = new RLPx(randomBytes(32), {
  capabilities: [{ name: "echo", version: 1, length: 3, constructor: Echo }],
  listenPort: Number(port),
  timeout: 5000,
});
const faults = [];
const gone = [];
rlpx.events.on("error", (error) => faults.push(String(error)));
rlpx.events.on("peer:error", (_peer, error) => faults.push(String(error)));
rlpx.events.on("peer:removed", (_peer, reason) => gone.push(reason));
const peers = () => rlpx.getPeers().filter((peer) => peer.echo);
const commands = {
  connect: async (host, tcpPort, id) => {
    await rlpx.connect({ id: new Uint8Array(Buffer.from(id, "hex")), address: host, tcpPort });
  },
  peers: () => peers().map((peer) => Buffer.from(peer.getId()).toString("hex")),
  told: () => told,
  faults: () => faults,
  gone: () => gone,
  tell: (text) => peers()[0].echo.send(TELL, Buffer.from(text, "latin1")),
  ask: (number) => new Promise((resolve) => {
    const id = Buffer.alloc(8);
    id.writeUInt32BE(number, 4);
    answers.set(id.toString("hex"), () => resolve(number));
    peers()[0].echo.send(ASK, id);
  }),
  leave: () => peers().forEach((peer) => peer.disconnect(0x08)),
};

rlpx.events.once("listening", () => say(Buffer.from(rlpx.id).toString("hex")));
rlpx.listen(Number(port), "127.0.0.1");
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...values] = JSON.parse(line);
  try {
    say({ result: (await commands[command](...values)) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
}
process.exit(0);
