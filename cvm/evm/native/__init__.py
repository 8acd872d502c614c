"""The compiled interpreter: one loop over code, 256-bit words as LLVM integers."""
