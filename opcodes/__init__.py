"""The AI opcodes and their precompile twins; `table` lists them."""
