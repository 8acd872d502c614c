"""Plays `.io` files against real nodes: `python -m tests.rpc_compat`.

They are execution-apis' conformance tests, and our own about models and inferences. The chain of
each suite is imported with `cvm init` and `cvm import`, `cvm node` serves it, and every file is
played: what it sends is sent, and what it expects is compared byte for byte as JSON. A file marked
`speconly` is held to the schema of openrpc.json alone. Each failure is printed. The last line is
`N passed, N failed, N skipped`; the status is 1 where a file failed.

    python -m tests.rpc_compat --match eth_simulateV1
    python -m tests.rpc_compat --url http://127.0.0.1:8545   # a node of execution-apis' chain
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.conformance.archives import absence, files_of, find_suite
from tests.rpc_compat.exceptions import EXCEPTIONS
from tests.rpc_compat.io_file import IoFile, parse_io
from tests.rpc_compat.judging import Judge
from tests.rpc_compat.own_suite import NAMESPACES as OWN_NAMESPACES
from tests.rpc_compat.own_suite import own_chain, own_files, own_judge

SUITE = "rpc-compat"
CHAIN_FILES = ("genesis.json", "chain.rlp")
NAMESPACES = "eth,net,web3,debug,txpool,trace,testing"
READY = b"listening on "
START_TIMEOUT_S = 240
ANSWER_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Suite:
    """Files, what judges answers, and the chain they are about: its files in order, by name."""

    files: Sequence[IoFile]
    judge: Judge
    chain: Mapping[str, bytes]
    namespaces: str
    exceptions: Mapping[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the files that are chosen; return the exit status."""
    options = parser().parse_args(arguments)
    suites = [] if options.url else [own_suite()]
    published = find_suite(SUITE)
    if published is None:
        print(absence(SUITE))
    else:
        suites.append(published_suite(published))
    counts = [run_suite(suite, options.match, options.url) for suite in suites]
    passed, failed, skipped = (sum(each[place] for each in counts) for place in range(3))
    print(f"{passed} passed, {failed} failed, {skipped + (published is None)} skipped")
    return 1 if failed else 0


def run_suite(suite: Suite, match: str, url: str | None) -> tuple[int, int, int]:
    """Play the files of a suite whose names match; return how many passed, failed, were skipped."""
    files = [file for file in suite.files if match in file.name]
    if not files:
        return 0, 0, 0
    skipped = [file.name for file in files if file.name in suite.exceptions]
    failed = asyncio.run(play_all(replace(suite, files=files), url))
    for name in skipped:
        print(f"SKIPPED {name}: {suite.exceptions[name]}")
    for name, reason in failed.items():
        print(f"FAILED {name}: {reason}")
    return len(files) - len(failed) - len(skipped), len(failed), len(skipped)


def published_suite(path: Path) -> Suite:
    """Return execution-apis' files."""
    texts = {name.split("rpc/", 1)[-1]: data for name, data in files_of(path)}
    return Suite(
        [
            parse_io(name, data.decode())
            for name, data in sorted(texts.items())
            if name.endswith(".io")
        ],
        Judge(json.loads(texts["openrpc.json"])),
        {name: texts[name] for name in CHAIN_FILES},
        NAMESPACES,
        EXCEPTIONS,
    )


def own_suite() -> Suite:
    """Return our own files."""
    return Suite(own_files(), own_judge(), own_chain(), OWN_NAMESPACES, {})


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python -m tests.rpc_compat")
    found.add_argument("--match", default="", help="only files whose path holds this")
    found.add_argument("--url", help="a node that already serves the suite's chain")
    return found


async def play_all(suite: Suite, url: str | None) -> dict[str, str]:
    """Play the files against a node; return why each one that failed did."""
    if url is not None:
        return await play_each(suite, url)
    with TemporaryDirectory(prefix="cvm-rpc-compat-") as folder:
        make_chain(Path(folder), suite.chain)
        async with running_node(Path(folder), suite.namespaces) as address:
            return await play_each(suite, address)


async def play_each(suite: Suite, url: str) -> dict[str, str]:
    """Play the files one after the other."""
    failed: dict[str, str] = {}
    limit = aiohttp.ClientTimeout(ANSWER_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for file in suite.files:
            if file.name in suite.exceptions:
                continue
            for sent, expected in file.exchanges:
                async with session.post(url, json=sent) as response:
                    answer: Any = await response.json()  # whatever the node says
                reason = suite.judge.reason(
                    sent, expected, answer, is_schema_enough=file.is_speconly
                )
                if reason is not None:
                    failed[file.name] = reason
                    break
    return failed


def make_chain(folder: Path, chain: Mapping[str, bytes]) -> None:
    """Import a chain into a folder, as its users do: a genesis file, then blocks."""
    for command, (name, data) in zip(("init", "import"), chain.items(), strict=True):
        (folder / name).write_bytes(data)
        subprocess.run(
            [
                *(sys.executable, "-m", "node.cli", command, str(folder / name)),
                *("--datadir", str(folder)),
            ],
            check=True,
            timeout=START_TIMEOUT_S,
            stdout=sys.stderr,
        )


@asynccontextmanager
async def running_node(folder: Path, namespaces: str) -> AsyncIterator[str]:
    """Serve a folder with a real node; give the URL of its JSON-RPC."""
    node = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli", "node", "--datadir", str(folder)),
        *("--http.port", "0", "--http.api", namespaces, "--port", "0", "--nodiscover"),
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
