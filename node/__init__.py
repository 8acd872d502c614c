"""The running node: storage, JSON-RPC, keys, command line, and the loop that ties them to the rules."""
