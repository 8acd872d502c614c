"""The clients of the matrix: what each needs, how it is run, and which steps it must take."""

from dataclasses import dataclass

STEPS = ("deploy", "send", "read", "logs", "subscribe", "model", "errors", "fees")
"""Every step, in the order in which clients take them."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client: `command` runs in a folder of the scripts and prints `ok STEP` after each step.

    `needs` are names of `tools.Tools`; `steps` are those that the client can take at all.
    """

    name: str
    needs: tuple[str, ...]
    command: tuple[str, ...]
    steps: tuple[str, ...] = STEPS
    folder: str = "."


def without(*steps: str) -> tuple[str, ...]:
    """Return the steps of a client that cannot take some of them."""
    return tuple(step for step in STEPS if step not in steps)


CLIENTS = (
    Client("cast", ("npm", "pip"), ("python", "-m", "tests.clients.scripts.cast_client")),
    Client(
        "forge script",
        ("npm", "pip"),
        ("python", "-m", "tests.clients.scripts.forge_script_client"),
        without("subscribe"),
    ),
    Client(
        "forge test",
        ("npm", "pip"),
        ("python", "-m", "tests.clients.scripts.forge_test_client"),
        without("subscribe"),
    ),
    Client("ethers 6", ("npm",), ("node", "ethers.mjs")),
    Client("viem 2", ("npm",), ("node", "viem.mjs")),
    Client("web3.py 8", ("pip",), ("python", "-m", "tests.clients.scripts.web3_client")),
    Client(
        "titanoboa",
        ("pip",),
        ("python", "-m", "tests.clients.scripts.boa_client"),
        without("subscribe"),
    ),
    Client(
        "hardhat 3",
        ("npm",),
        ("hardhat", "test", "nodejs", "--network", "cvm"),
        folder="hardhat",
    ),
    Client("EIP-1193 page", ("npm", "browser"), ("node", "page.mjs")),
)
