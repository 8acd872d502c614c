// A wallet as browsers have them: an EIP-1193 provider that signs for one account and asks the node
// for all else, found through window.ethereum and EIP-6963. It says yes to whatever a page wants.
import { Wallet, getBytes } from "ethers";

class WalletError extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}

class TrialWallet extends EventTarget {
  #wallet;
  #chains = new Map();
  #chain = null;
  #isConnected = false;
  #listeners = new Map();
  #socket = null;
  #id = 0;

  constructor(key) {
    super();
    this.#wallet = new Wallet(key);
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  removeListener(event, listener) {
    const left = (this.#listeners.get(event) ?? []).filter((known) => known !== listener);
    this.#listeners.set(event, left);
    return this;
  }

  #emit(event, news) {
    for (const listener of this.#listeners.get(event) ?? []) listener(news);
  }

  async request({ method, params = [] }) {
    const own = this.#own[method];
    if (own) return own(...params);
    return this.#ask(method, params);
  }

  #own = {
    eth_accounts: () => (this.#isConnected ? [this.#wallet.address] : []),
    eth_requestAccounts: () => {
      this.#isConnected = true;
      this.#emit("accountsChanged", [this.#wallet.address]);
      return [this.#wallet.address];
    },
    wallet_addEthereumChain: async ({ chainId, rpcUrls }) => {
      const [url, wsUrl] = rpcUrls;
      const said = await this.#post(url, "eth_chainId", []);
      if (said !== chainId) throw new WalletError(-32602, `the node says chain ${said}, not ${chainId}`);
      this.#chains.set(chainId, { url, wsUrl });
      this.#switch(chainId);
      return null;
    },
    wallet_switchEthereumChain: ({ chainId }) => {
      if (!this.#chains.has(chainId)) throw new WalletError(4902, `unknown chain ${chainId}`);
      this.#switch(chainId);
      return null;
    },
    personal_sign: (message) => this.#wallet.signMessage(getBytes(message)),
    eth_signTypedData_v4: (_account, text) => {
      const { domain, types, message } = JSON.parse(text);
      delete types.EIP712Domain;
      return this.#wallet.signTypedData(domain, types, message);
    },
    eth_sendTransaction: (wish) => this.#send(wish),
    eth_subscribe: (...params) => this.#overSocket("eth_subscribe", params),
    eth_unsubscribe: (...params) => this.#overSocket("eth_unsubscribe", params),
  };

  #switch(chainId) {
    this.#chain = this.#chains.get(chainId);
    this.#emit("connect", { chainId });
    this.#emit("chainChanged", chainId);
  }

  // What wallets work out before they ask the user: nonce, gas, and a fee that lasts a few blocks.
  async #send({ from, gas, ...wish }) {
    if (!this.#isConnected) throw new WalletError(4100, "the page is not connected");
    const [count, history, chainId] = await this.#batch([
      ["eth_getTransactionCount", [from, "pending"]],
      ["eth_feeHistory", ["0x5", "latest", [20]]],
      ["eth_chainId", []],
    ]);
    const limit = gas ?? (await this.#ask("eth_estimateGas", [{ from, ...wish }]));
    const base = BigInt(history.baseFeePerGas.at(-1));
    const tip = BigInt(await this.#ask("eth_maxPriorityFeePerGas", []));
    const raw = await this.#wallet.signTransaction({
      type: 2, chainId: BigInt(chainId), nonce: Number(count), gasLimit: limit,
      maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip,
      to: wish.to ?? null, data: wish.data ?? wish.input ?? "0x", value: wish.value ?? "0x0",
    });
    return this.#ask("eth_sendRawTransaction", [raw]);
  }

  #ask(method, params) {
    if (this.#chain === null) throw new WalletError(4901, "not connected to a chain");
    return this.#post(this.#chain.url, method, params);
  }

  async #post(url, method, params) {
    const { error, result } = await this.#fetch(url, { jsonrpc: "2.0", id: ++this.#id, method, params });
    if (error) throw new WalletError(error.code, error.message, error.data);
    return result;
  }

  async #batch(calls) {
    const body = calls.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params }));
    const answers = await this.#fetch(this.#chain.url, body);
    return answers.sort((a, b) => a.id - b.id).map(({ result }) => result);
  }

  async #fetch(url, body) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return response.json();
  }

  async #overSocket(method, params) {
    this.#socket ??= await this.#connect(this.#chain.wsUrl);
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      const hear = ({ data }) => {
        const answer = JSON.parse(data);
        if (answer.id !== id) return;
        this.#socket.removeEventListener("message", hear);
        answer.error ? reject(new WalletError(answer.error.code, answer.error.message)) : resolve(answer.result);
      };
      this.#socket.addEventListener("message", hear);
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  #connect(url) {
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => {
      const { method, params } = JSON.parse(data);
      if (method === "eth_subscription") this.#emit("message", { type: method, data: params });
    });
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(socket));
      socket.addEventListener("error", () => reject(new WalletError(4900, "disconnected")));
    });
  }
}

const provider = new TrialWallet(window.trial.key);
window.ethereum = provider;

// EIP-6963: several wallets can live in one page, each announces itself when asked.
const info = Object.freeze({
  uuid: "f5d0a0f2-7c1c-4f6e-9d6e-5b5b5b5b5b5b", name: "Trial", icon: "data:,", rdns: "local.trial",
});
const announce = () => {
  const detail = Object.freeze({ info, provider });
  window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
};
window.addEventListener("eip6963:requestProvider", announce);
announce();
