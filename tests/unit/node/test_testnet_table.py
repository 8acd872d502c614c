"""The table of `cvm testnet` shows what a user copies from it."""

import io

from rich.console import Console

from node.cli.testnet import NodeLine, table_of


def test_the_address_of_json_rpc_is_whole_in_eighty_columns() -> None:
    line = NodeLine("validator-0", "http://127.0.0.1:8545", 12_345, "0x" + "ab" * 32, 3, "syncing")
    shown = io.StringIO()
    Console(file=shown, width=80).print(table_of([line]))
    assert "http://127.0.0.1:8545" in shown.getvalue()
    assert "validator-0" in shown.getvalue()
