"""Reads the machine code of kernels and finds instructions that no definition allows."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cvm.inference.backends.cuda.kernels import EXACT_OPTIONS
from tests.unit.inference.cuda import nvrtc
from tests.unit.inference.cuda.ptx import ORDERED_DOT_PRODUCTS
from tests.unit.inference.cuda.shim_device import KERNEL_FOLDER

TOOLS = ("cuobjdump", "nvdisasm")
"""Of the CUDA toolkit, or of the packages nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm."""

_FUNCTION = re.compile(r"Function : (\w+)")
_INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,5}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][^;]*?)\s*;")
_CONSTANT_MOVE = re.compile(r"HFMA2(\.MMA)? R\d+, -RZ, RZ, ")
"""How ptxas puts a constant into a register when the other pipe is busy."""

_NEVER = re.compile(
    r"(FFMA2|FADD2|FMUL2|HFMA2|HADD2|HMUL2|HMMA|DMMA|FSWZADD|RED|ATOM\w*)\b|MUFU\.(?!RCP|RSQ)"
)
_HELPER = re.compile(r"(F|D)(ADD|MUL|FMA)\S*\.(FTZ|RM|RP|RZ)|MUFU\.RSQ|(F|D)FMA\b")
"""What only divisions, square roots and, for a plain fused operation, dot products may hold."""

_NARROW_QUOTIENT = re.compile(r"\b(div|rem)\.[us]16\b")
"""ptxas divides integers of 8 and 16 bits by way of a float32, exactly."""

_QUOTIENT = re.compile(r"\b(div|rcp|sqrt)\.rn\.f(32|64)")


def tool_folder() -> Path | None:
    """Return where both tools are, or None."""
    folders = [folder / "cu13" / "bin" for folder in nvrtc.nvidia_folders()]
    if found := shutil.which(TOOLS[0]):
        folders.insert(0, Path(found).parent)
    for folder in folders:
        if all((folder / tool).exists() for tool in TOOLS):
            return folder
    return None


def can_disassemble() -> bool:
    """Return whether a compiler (NVRTC or nvcc) and both tools are installed."""
    has_compiler = nvrtc.shared_object() is not None or shutil.which("nvcc") is not None
    return has_compiler and tool_folder() is not None


def machine_code(source: str, capability: str, folder: Path) -> dict[str, list[str]]:
    """Return the instructions of every kernel of a `.cu` file for one kind of GPU (`90`)."""
    binary = folder / f"{source}.cubin"
    if nvrtc.shared_object() is not None:
        binary.write_bytes(nvrtc.compile_kernel_file(source, f"sm_{capability}"))
    else:
        file = str(KERNEL_FOLDER / f"{source}.cu")
        options = [f"-arch=sm_{capability}", *EXACT_OPTIONS, "-cubin"]
        subprocess.run(["nvcc", *options, "-o", str(binary), file], check=True)
    tools = str(tool_folder())
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    listed = subprocess.run(
        [f"{tools}/cuobjdump", "-sass", str(binary)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    found: dict[str, list[str]] = {}
    code: list[str] = []
    for line in listed.stdout.splitlines():
        if match := _FUNCTION.search(line):
            code = found.setdefault(match[1], [])
        elif match := _INSTRUCTION.search(line):
            code.append(match[1])
    return found


def stray_code(kernel: str, ptx: Sequence[str], code: Sequence[str]) -> list[str]:
    """Return what a kernel's machine code holds against its PTX.

    * packed pairs, half precision, atomics and approximate functions: never
    * fused, flushing and directed instructions of a width: only where the PTX divides or takes a
      root in that width; a plain FFMA in a dot product too
    * fewer sums and products than the PTX has: two of them were fused
    """
    text = "\n".join(ptx)
    widths = {match[2] for match in _QUOTIENT.finditer(text)}
    stray = [line for line in code if _NEVER.match(line) and not _CONSTANT_MOVE.match(line)]
    for line in filter(_HELPER.match, code):
        is_term = line.startswith("FFMA ") and kernel in ORDERED_DOT_PRODUCTS
        # Half of a quotient of float64 is made in float32.
        allowed = widths if line[0] in "FM" else widths & {"64"}
        is_narrow = line.startswith("FMUL.RZ ") and _NARROW_QUOTIENT.search(text) is not None
        if not (allowed or is_term or is_narrow):
            stray.append(line)
    counts = Counter(line.split(" ")[0].split(".")[0] for line in code)
    for letter, width in (("F", "32"), ("D", "64")):
        wanted = len(re.findall(rf"\b(?:add|sub|mul)\.rn\.f{width}", text))
        made = counts[f"{letter}ADD"] + counts[f"{letter}MUL"]
        if made < wanted:
            stray.append(f"{made} sums and products of float{width}, the PTX has {wanted}")
    return stray
