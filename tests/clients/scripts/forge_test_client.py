"""forge test against a node: tests that run in forge's own EVM, on a fork of the node's chain."""

import json
from typing import Any

from tests.clients.scripts.forge import run_forge
from tests.clients.scripts.steps import Unexpected

STEPS = ("deploy", "send", "read", "logs", "model", "errors", "fees")


def results() -> dict[str, Any]:
    """Run the tests, one after the other as they share an account; return what came of each."""
    done = run_forge("test", "--threads", "1", "--json")
    try:
        [suite] = json.loads(done.stdout.splitlines()[-1]).values()
    except (IndexError, ValueError):
        raise Unexpected("forge test", done.stdout + done.stderr, "one suite") from None
    found: dict[str, Any] = suite["test_results"]
    return found


def main() -> None:
    """Say of each test that passed that the step of its name is done."""
    found = results()
    for step in STEPS:
        result = found[f"test_{step}()"]
        if result["status"] != "Success":
            raise Unexpected(step, result["reason"], "Success")
        print(f"ok {step}", flush=True)


if __name__ == "__main__":
    main()
