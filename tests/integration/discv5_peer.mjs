// One node of @chainsafe/discv5, told what to do by lines of JSON on standard input.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, ip, port] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${folder}/${path}`).href);
const { Discv5 } = await load("@chainsafe/discv5/lib/index.js");
const { ENR, SignableENR } = await load("@chainsafe/enr/lib/index.js");
const { generateKeyPair } = await load("@libp2p/crypto/dist/src/keys/index.js");
const { multiaddr } = await load("@multiformats/multiaddr/dist/src/index.js");

const privateKey = await generateKeyPair("secp256k1");
const enr = SignableENR.createFromPrivateKey(privateKey);
const address = multiaddr(`/ip4/${ip}/udp/${port}`);
enr.setLocationMultiaddr(address);
const node = Discv5.create({ enr, privateKey, bindAddrs: { ip4: address }, config: { enrUpdate: false } });
await node.start();

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const commands = {
  ping: async (to) => {
    const pong = await node.sendPing(ENR.decodeTxt(to));
    return { seq: Number(pong.enrSeq), ip: [...pong.addr.ip.octets].join("."), port: pong.addr.port };
  },
  talk: async (to) => [...(await node.sendTalkReq(ENR.decodeTxt(to), Buffer.from("hello"), "waku"))],
  add: (to) => node.addEnr(to),
  ask: async (to, distances) => (await node.sendFindNode(ENR.decodeTxt(to), distances)).map((found) => found.encodeTxt()),
  lookup: async (id) => (await node.findNode(id)).map((found) => found.nodeId),
  known: () => node.kadValues().map((found) => found.nodeId),
};

say(enr.encodeTxt());
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...values] = JSON.parse(line);
  try {
    say({ result: (await commands[command](...values)) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
}
process.exit(0);
