"""The `cvm model` commands: prepare, check, register, list and show."""
