"""JSON-RPC: the node's answers to wallets, libraries and explorers, over a narrow `EthView`."""
