"""A validator's key in a process of its own: the protocol, the node's side, a reference signer."""
