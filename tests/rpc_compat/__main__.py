"""Runs execution-apis' conformance tests against a real node: `python -m tests.rpc_compat`.

The suite's chain is imported with `cvm init` and `cvm import`, `cvm node` serves it, and every
`.io` file is played: what it sends is sent, and what it expects is compared byte for byte as JSON.
A file marked `speconly` is held to the schema of openrpc.json alone. Each failure is printed. The
last line is `N passed, N failed, N skipped`; the status is 1 where a file failed.

    python -m tests.rpc_compat --match eth_simulateV1
    python -m tests.rpc_compat --url http://127.0.0.1:8545   # a node that already runs
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.conformance.archives import absence, files_of, find_suite
from tests.rpc_compat.exceptions import EXCEPTIONS
from tests.rpc_compat.io_file import IoFile, parse_io
from tests.rpc_compat.judging import Judge

SUITE = "rpc-compat"
CHAIN_FILES = ("genesis.json", "chain.rlp")
READY = b"listening on "
START_TIMEOUT_S = 240
ANSWER_TIMEOUT_S = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the files that are chosen; return the exit status."""
    options = parser().parse_args(arguments)
    suite = find_suite(SUITE)
    if suite is None:
        print(absence(SUITE))
        print("0 passed, 0 failed, 1 skipped")
        return 0
    texts = {name.split("rpc/", 1)[-1]: data for name, data in files_of(suite)}
    judge = Judge(json.loads(texts["openrpc.json"]))
    files = [
        parse_io(name, data.decode())
        for name, data in sorted(texts.items())
        if name.endswith(".io") and options.match in name
    ]
    failed = asyncio.run(play_all(files, judge, texts, options.url))
    skipped = [name for name in EXCEPTIONS if any(file.name == name for file in files)]
    for name in skipped:
        print(f"SKIPPED {name}: {EXCEPTIONS[name]}")
    for name, reason in failed.items():
        print(f"FAILED {name}: {reason}")
    passed = len(files) - len(failed) - len(skipped)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python -m tests.rpc_compat")
    found.add_argument("--match", default="", help="only files whose path holds this")
    found.add_argument("--url", help="a node that already serves the suite's chain")
    return found


async def play_all(
    files: Sequence[IoFile], judge: Judge, texts: Mapping[str, bytes], url: str | None
) -> dict[str, str]:
    """Play the files against a node; return why each one that failed did."""
    if url is not None:
        return await play_each(files, judge, url)
    with TemporaryDirectory(prefix="cvm-rpc-compat-") as folder:
        make_chain(Path(folder), texts)
        async with running_node(Path(folder)) as address:
            return await play_each(files, judge, address)


async def play_each(files: Sequence[IoFile], judge: Judge, url: str) -> dict[str, str]:
    """Play the files one after the other."""
    failed: dict[str, str] = {}
    limit = aiohttp.ClientTimeout(ANSWER_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for file in files:
            if file.name in EXCEPTIONS:
                continue
            for sent, expected in file.exchanges:
                async with session.post(url, json=sent) as response:
                    answer: Any = await response.json()  # whatever the node says
                reason = judge.reason(sent, expected, answer, is_schema_enough=file.is_speconly)
                if reason is not None:
                    failed[file.name] = reason
                    break
    return failed


def make_chain(folder: Path, texts: Mapping[str, bytes]) -> None:
    """Import the suite's chain into a folder, as its users do."""
    for name in CHAIN_FILES:
        (folder / name).write_bytes(texts[name])
    for command in (("init", "genesis.json"), ("import", "chain.rlp")):
        subprocess.run(
            [
                *(sys.executable, "-m", "node.cli", command[0], str(folder / command[1])),
                *("--datadir", str(folder)),
            ],
            check=True,
            timeout=START_TIMEOUT_S,
            stdout=sys.stderr,
        )


@asynccontextmanager
async def running_node(folder: Path) -> AsyncIterator[str]:
    """Serve a folder with a real node; give the URL of its JSON-RPC."""
    node = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli", "node", "--datadir", str(folder)),
        *("--http.port", "0", "--http.api", "eth,net,web3,debug,txpool,trace,testing"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            yield await url_of(node)
            node.terminate()
            await node.wait()
    finally:
        with suppress(ProcessLookupError):
            node.kill()
        await node.wait()


async def url_of(node: asyncio.subprocess.Process) -> str:
    """Return where a node answers, once it says so; raises `EOFError` if it ends before."""
    assert node.stdout is not None
    async for line in node.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).decode().strip()
    raise EOFError("the node ended before it answered")


if __name__ == "__main__":
    sys.exit(main())
