"""`cvm demo`: a chain, a registered model, a contract that calls it, and a second node that agrees.

Every step runs as a user would run it: the node, the registration and the import are processes
of their own, and the contract is called over JSON-RPC.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Annotated, Any

import numpy as np
import typer
from rich.console import Console

from models_registry.artifact import load_artifact
from models_registry.cli.http_client import ClientFault, RpcClient
from node.cli.faults import BadArgument, clear_errors
from node.demo_contract import CallFailed, Wallet, classify_data, constructor_data, label_in
from node.dev_keys import dev_key
from node.sample_models import sample_model_path

READY = "listening on "
MODEL_FILE = "digits_int8.onnx"
console = Console(stderr=True, highlight=False)


class DemoFailed(BadArgument):
    """A step of the demonstration did not give what it must."""


def demo(
    digit: Annotated[int, typer.Option(help="which of the 100 MNIST digits to classify")] = 0,
    backend: Annotated[str, typer.Option(help="reference, cpu or cuda")] = "cpu",
) -> None:
    """Show a contract that classifies a handwritten digit, and a second node that re-runs it."""
    with clear_errors(), TemporaryDirectory(prefix="cvm-demo-") as folder:
        try:
            run_demo(Path(folder), digit, backend)
        except (ClientFault, CallFailed) as error:
            raise DemoFailed(str(error)) from error


def run_demo(folder: Path, digit: int, backend: str) -> None:
    """Run the six steps; raises `DemoFailed`."""
    image, label = sample_digit(digit)
    first, archive = folder / "first", folder / "chain.cvm"
    step(1, "start a chain with one validator (cvm dev)")
    with running_node(
        folder / "first.log", "dev", "--datadir", str(first), "--backend", backend
    ) as url:
        client = RpcClient(url)
        step(2, f"register {MODEL_FILE} (cvm model register): PENDING, attested, ACTIVE")
        model_id = register(url)
        step(3, "deploy DigitClassifier.sol and send it a handwritten digit")
        root = classify_on_chain(client, model_id, image, label)
        step(4, "export the chain while it runs (cvm export)")
        cvm("export", str(archive), "--datadir", str(first))
        genesis = write_genesis(first, folder / "genesis.json")
    step(5, "import it into a second node, which runs the inference again (cvm import)")
    second = folder / "second"
    cvm("init", str(genesis), "--datadir", str(second))
    report = json.loads(
        cvm("import", str(archive), "--datadir", str(second), "--backend", backend, "--json")
    )
    step(6, "start the second node and compare state roots (cvm node)")
    with running_node(
        folder / "second.log", "node", "--datadir", str(second), "--backend", backend
    ) as url:
        compare(RpcClient(url), root, report)


def sample_digit(index: int) -> tuple[bytes, int]:
    """Return one of the bundled MNIST images and what a person reads in it."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    labels = np.load(sample_model_path("digits_100_labels.npy"), allow_pickle=False)
    if not 0 <= index < len(images):
        raise BadArgument(
            f"--digit {index}: there are {len(images)} digits, 0 to {len(images) - 1}"
        )
    return images[index].tobytes(), int(labels[index])


def register(url: str) -> bytes:
    """Register the digit model and return its id."""
    path = str(sample_model_path(MODEL_FILE))
    report = json.loads(cvm("model", "register", path, "--rpc", url, "--account", "dev", "--json"))
    if report["status"] != "active":
        raise DemoFailed(f"the model is {report['status']}, not active")
    say(f"model {report['modelId']} is ACTIVE, {report['gas']['compute']} gas an item")
    return bytes.fromhex(report["modelId"][2:])


def classify_on_chain(client: RpcClient, model_id: bytes, image: bytes, label: int) -> str:
    """Deploy the contract, classify one digit, show the receipt; return block's hash and root."""
    wallet = Wallet(client, dev_key(0))
    bytecode = load_artifact("DigitClassifier").bytecode
    contract = wallet.send(constructor_data(bytecode, model_id))["contractAddress"]
    say(f"contract {contract}")
    show_image(image)
    receipt = wallet.send(classify_data(image), contract)
    show_receipt(receipt)
    found = label_in(receipt)
    say(f"label              {found}   (a person wrote {label})")
    if found != label:
        raise DemoFailed(f"the contract reads {found}, the image shows {label}")
    block = client.call("eth_getBlockByNumber", receipt["blockNumber"], False)
    return json.dumps([receipt["blockNumber"], block["hash"], block["stateRoot"]])


def show_receipt(receipt: dict[str, Any]) -> None:
    """Print the receipt of the transaction that ran the inference."""
    say(f"transaction        {receipt['transactionHash']}")
    for name in ("blockNumber", "gasUsed", "status"):
        say(f"{name:18} {int(receipt[name], 16)}")
    for entry in receipt["logs"]:
        say(f"log                {entry['topics'][0]} {entry['data']}")


def compare(client: RpcClient, expected: str, report: dict[str, object]) -> None:
    """Compare the block of the classification on both nodes."""
    number, block_hash, root = json.loads(expected)
    block = client.call("eth_getBlockByNumber", number, False)
    say(f"imported {report['blocks']} blocks, ran {report['inferences']} inferences again")
    say(f"first node   block {int(number, 16)} state root {root}")
    say(f"second node  block {int(number, 16)} state root {block['stateRoot']}")
    if (block["hash"], block["stateRoot"]) != (block_hash, root):
        raise DemoFailed("the two nodes disagree")
    if not report["inferences"]:
        raise DemoFailed("the second node did not run the inference")
    console.print("[bold green]both nodes agree on every byte[/]")


def write_genesis(datadir: Path, path: Path) -> Path:
    """Copy the genesis file out of a running node's database."""
    path.write_text(cvm("genesis-of", "--datadir", str(datadir)))
    return path


def cvm(*arguments: str) -> str:
    """Run a command to its end and return its standard output; raises `DemoFailed`.

    Its progress goes to the terminal.
    """
    done = subprocess.run(
        [sys.executable, "-m", "node.cli", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"`cvm {' '.join(arguments[:2])}` ended with {done.returncode}")
    return done.stdout


@contextmanager
def running_node(log: Path, *arguments: str) -> Iterator[str]:
    """Start a node on a free port, give its URL once it answers, and stop it in the end.

    Its log goes to a file, which is shown when the node does not come up.
    """
    command = [sys.executable, "-m", "node.cli", *arguments, "--http.port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            yield url_of(process.stdout, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def url_of(output: IO[str] | None, log: Path) -> str:
    """Read the node's output up to the line that says where it listens."""
    for line in output or ():
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise DemoFailed(f"the node stopped before it was ready:\n{log.read_text()}")


def show_image(image: bytes) -> None:
    """Draw a 28 x 28 digit in the terminal, two rows to a line."""
    rows = np.frombuffer(image, np.uint8).reshape(28, 28) > 100
    blocks = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    for y in range(0, 28, 2):
        line = "".join(blocks[bool(rows[y, x]), bool(rows[y + 1, x])] for x in range(28))
        if line.strip():
            say(line)


def step(number: int, text: str) -> None:
    """Announce a step."""
    console.print(f"[bold][{number}/6][/] {text}")


def say(text: str) -> None:
    """Print a line of a step."""
    console.print(f"      {text}", markup=False, soft_wrap=True)


def add_commands(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(demo)
