"""The execution core on py-evm, open to added opcodes and precompiles."""
