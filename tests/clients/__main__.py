"""Runs the clients that people use against a real development node: `python -m tests.clients`.

`cvm dev` is started on loopback, the digit model is registered, and each client deploys a contract,
sends, reads, searches logs, subscribes, and calls the model, as its users would. What npm and pip
can install is installed once into `.cache/clients`, or where CVM_CLIENTS_DIR points. A client whose
tool is missing is skipped with the reason. The last line is `N passed, N failed, N skipped`; the
status is 1 where a client failed.

    python -m tests.clients --only viem --only cast
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clients.client_table import CLIENTS
from tests.clients.outcome import Outcome, closing_line, skipped, table
from tests.clients.tools import Tools, find_tools
from tests.clients.trial import trial


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients that are chosen; return the exit status."""
    names = [client.name for client in CLIENTS]
    parser = argparse.ArgumentParser(prog="python -m tests.clients")
    parser.add_argument("--only", action="append", choices=names, help="this client; repeated")
    chosen = parser.parse_args(arguments).only or names
    needs = {need for client in CLIENTS if client.name in chosen for need in client.needs}
    outcomes = run_clients(chosen, find_tools(needs))
    print(f"\n{table(outcomes)}")
    for outcome in outcomes:
        if outcome.reason:
            print(f"{outcome.verdict.upper()} {outcome.client.name}: {outcome.reason}")
    print(closing_line(outcomes))
    return 1 if any(outcome.verdict == "failed" for outcome in outcomes) else 0


def run_clients(chosen: Sequence[str], tools: Tools) -> list[Outcome]:
    """Run clients one after the other against one node; say how each of them goes."""
    able = [
        client for client in CLIENTS if client.name in chosen and tools.lack(client.needs) is None
    ]
    outcomes = {
        client.name: skipped(client, reason)
        for client in CLIENTS
        if client.name in chosen and (reason := tools.lack(client.needs)) is not None
    }
    if able:
        with TemporaryDirectory(prefix="cvm-clients-") as folder, trial(Path(folder), tools) as run:
            outcomes |= {client.name: tell(run.of(client)) for client in able}
    return [outcomes[client.name] for client in CLIENTS if client.name in outcomes]


def tell(outcome: Outcome) -> Outcome:
    """Show how one client went, as soon as it is known."""
    print(f"{outcome.client.name}: {outcome.verdict} in {outcome.took_s:.0f} s", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
