"""`python -m node.cli` is `cvm`."""

from node.cli import main

main()
