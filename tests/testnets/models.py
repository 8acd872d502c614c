"""Registers models on a testnet as a user does, and asks every node what it knows of them."""

import asyncio
import json
import sys

from models_registry.artifact import load_artifact
from models_registry.cli.http_client import ClientFault, RpcClient
from node.demo_contract import CallFailed, Wallet, constructor_data
from node.dev_keys import dev_key
from node.local_network import LocalNetwork
from node.network_process import NetworkProcess, NoAnswer
from node.sample_models import sample_model_path
from node.warm_models import warm_models
from tests.testnets.watch import NotInTime

REGISTER_TIMEOUT_S = 120
POLL_S = 0.2
ACTIVE_TIMEOUT_S = 30
CONTRACT = "DigitClassifier"


class ModelStepFailed(Exception):
    """A model could not be registered, or its contract not deployed."""


def warm_model(file_name: str) -> None:
    """Compile the kernels of a model into the disk cache, where every node finds them.

    Else all validators compile the same ones side by side.
    """
    warm_models([sample_model_path(file_name).read_bytes()], lambda _done, _total: None)


async def register_model(node: NetworkProcess, file_name: str) -> str:
    """Run `cvm model register` against one node until the model is ACTIVE; return its id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli", "model", "register", str(sample_model_path(file_name))),
        *("--rpc", node.place.url, "--account", "dev", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(REGISTER_TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ModelStepFailed(
            f"registering {file_name} takes over {REGISTER_TIMEOUT_S} s"
        ) from None
    if process.returncode:
        raise ModelStepFailed(f"registering {file_name} failed: {errors.decode()[-2000:]}")
    report = json.loads(output)
    if report["status"] != "active":
        raise ModelStepFailed(f"{file_name} is {report['status']}, not active")
    return str(report["modelId"])


async def deploy_classifier(node: NetworkProcess, model_id: str) -> str:
    """Deploy the contract that asks a digit model; return its address."""
    bytecode = load_artifact(CONTRACT).bytecode
    data = constructor_data(bytecode, bytes.fromhex(model_id[2:]))
    wallet = Wallet(RpcClient(node.place.url), dev_key(0))
    try:
        receipt = await asyncio.to_thread(wallet.send, data)
    except (ClientFault, CallFailed) as error:
        raise ModelStepFailed(f"the contract could not be deployed: {error}") from error
    return str(receipt["contractAddress"])


async def attestations(network: LocalNetwork, model_id: str) -> int:
    """Return how many of the running validators have signed the model's record."""
    signatures: set[str] = set()
    for node in network.nodes.values():
        if node.place.validator is not None and node.is_running:
            status = await node.call("cvm_modelStatus", model_id)
            signatures.update(status["attestations"])
    return len(signatures)


async def wait_until_held(network: LocalNetwork, model_id: str) -> None:
    """Wait until the model is ACTIVE at every running node, its bytes there; raises `NotInTime`."""
    lacking: list[str] = []
    try:
        async with asyncio.timeout(ACTIVE_TIMEOUT_S):
            while True:
                lacking = [
                    name
                    for name, node in network.nodes.items()
                    if node.is_running and not await holds(node, model_id)
                ]
                if not lacking:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise NotInTime(f"model {model_id} is not ACTIVE with its bytes at {lacking}") from None


async def holds(node: NetworkProcess, model_id: str) -> bool:
    """Tell whether a model is ACTIVE at a node, and its bytes lie there."""
    try:
        status = await node.call("cvm_modelStatus", model_id)
    except NoAnswer:
        return False
    return bool(status["status"] == "active" and status["hasBytes"])
