"""The running node: storage, JSON-RPC, keys, command line, and the loop over them."""
