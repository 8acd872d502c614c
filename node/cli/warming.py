"""Compiles, before a network starts, what each of its nodes would compile by itself; shows how far.

All processes of a user share one cache of kernels (`cvm.numba_cache`).
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from cvm.faults import LocalFault
from node.network_process import NodePlace
from node.sample_models import sample_model_path

SAMPLES = ("digits_int8.onnx", "digits_float32.onnx")
"""What a user registers first."""

TIMEOUT_S = 1_800.0
"""On one busy core all kernels take a tenth of that."""

SHOWN_LINES = 5
STEP = re.compile(rb"(?P<done>\d+) (?P<total>\d+)\n")
"""What `node.warm_models` says after each step."""


class CannotWarm(LocalFault):
    """A process that was to compile kernels failed."""

    def __init__(self, what: str, errors: str) -> None:
        tail = "\n".join(errors.splitlines()[-SHOWN_LINES:])
        super().__init__(f"compiling {what} failed:\n{tail}")


@dataclass(frozen=True, slots=True)
class Warming:
    """One process that compiles: a module, and what it is told to compile."""

    what: str
    module: str
    arguments: tuple[str, ...] = ()


def warmings_for(places: Sequence[NodePlace]) -> tuple[Warming, ...]:
    """Return what the nodes of a network compile: their core, and models that they have or get."""
    held = {path.name: path for place in places for path in models_of(place)}
    paths = [*map(sample_model_path, SAMPLES), *held.values()]
    return (
        Warming("the execution core", "node.warm_kernels"),
        Warming(f"{len(paths)} models", "node.warm_models", tuple(map(str, paths))),
    )


def models_of(place: NodePlace) -> list[Path]:
    """Return the whole models in a node's data directory."""
    return sorted((place.datadir / "models").glob("*.onnx"))


async def warm_up(warmings: Sequence[Warming], console: Console) -> None:
    """Run these processes side by side; raises `CannotWarm`."""
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[steps]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with shown:
        async with asyncio.TaskGroup() as tasks:
            for warming in warmings:
                tasks.create_task(warm(warming, shown))


async def warm(warming: Warming, shown: Progress) -> None:
    """Run one process and show its steps; raises `CannotWarm`."""
    task = shown.add_task(f"compiling {warming.what}", total=None, steps="")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", warming.module, *warming.arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            errors = tasks.create_task(read_errors(process))
            await follow_steps(process, shown, task)
            status = await process.wait()
    except TimeoutError as error:
        raise CannotWarm(warming.what, f"not within {TIMEOUT_S:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise CannotWarm(warming.what, errors.result())
    shown.update(task, visible=False)
    shown.console.print(f"ready: {warming.what}")


async def read_errors(process: asyncio.subprocess.Process) -> str:
    """Return all that a process writes on standard error."""
    return "" if process.stderr is None else (await process.stderr.read()).decode(errors="replace")


async def follow_steps(process: asyncio.subprocess.Process, shown: Progress, task: TaskID) -> None:
    """Move a bar with each step that a process tells of."""
    while process.stdout is not None and (line := await process.stdout.readline()):
        step = STEP.fullmatch(line)
        if step is not None:
            done, total = int(step["done"]), int(step["total"])
            shown.update(task, completed=done, total=total, steps=f"{done} of {total}")
