"""Where the system contracts lie; genesis puts their code there on every chain."""

MODEL_REGISTRY = bytes.fromhex("0000000000000000000000000000000000000c10")
VALIDATOR_SET = bytes.fromhex("0000000000000000000000000000000000000c11")
