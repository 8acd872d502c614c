"""Block code gives the same result everywhere: integers, ordered data, no input from the machine.

Reads the syntax tree of everything below `node`. The tensor engine may use floats in three of its
folders, whose own rules stand in `test_reference_arithmetic`.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SET_UP = frozenset(
    {"cvm/numba_cache.py", "cvm/evm/native_dependencies.py", "cvm/evm/table_secret.py"}
)
"""Run once when a process starts, before any block: where kernels are cached, which keccak, and
what keeps hash tables from being flooded."""


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources(*folders: str, without: str = "") -> list[Path]:
    """Return the files of some folders, those of set-up and of one subfolder left out."""
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if shown(path) not in SET_UP and not (without and shown(path).startswith(without))
    ]


READS_DEVICE_CODE = ROOT / "cvm/inference/backends/cuda/kernels/__init__.py"
"""Reads the package's own `.cu` texts, which are compiled as Python's own modules are."""

INFERENCE = sources("cvm/inference")
OUTSIDE_INFERENCE = [
    *(path for path in sources("cvm") if path not in INFERENCE),
    *sources("models-registry/models_registry", without="models-registry/models_registry/cli/"),
    *sources("opcodes", "consensus"),
]
BLOCK_CODE = INFERENCE + OUTSIDE_INFERENCE
FLOAT_FOLDERS = ("exact", "operators", "backends")
WITHOUT_FLOATS = OUTSIDE_INFERENCE + [
    path for path in INFERENCE if path.relative_to(ROOT).parts[2] not in FLOAT_FOLDERS
]

INTEGER_MATH = frozenset({"prod", "gcd", "lcm", "isqrt", "comb"})
CLOCKS_AND_CHANCE = frozenset({"time", "datetime", "random", "secrets", "uuid", "locale"})
PROCESSES = frozenset({"asyncio", "threading", "multiprocessing", "concurrent", "subprocess"})
MACHINE_MODULES = CLOCKS_AND_CHANCE | PROCESSES | {"socket", "platform", "tempfile"}
MACHINE_NAMES = frozenset({"os.environ", "os.getenv", "os.urandom", "np.random", "sys.argv"})
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
SET_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
ORDER_BLIND = frozenset({"sorted", "len", "min", "max", "any", "all", "set", "frozenset"})


def float_uses(source: str) -> list[int]:
    """Return the lines that make a float, or convert to one; a path's `/` is not a division."""
    lines = []
    for part in ast.walk(ast.parse(source)):
        match part:
            case ast.BinOp(op=ast.Div(), right=ast.Constant(value=str()) | ast.JoinedStr()):
                pass
            case (
                ast.Constant(value=float() | complex())
                | ast.BinOp(op=ast.Div())
                | ast.AugAssign(op=ast.Div())
                | ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub()))
                | ast.Call(func=ast.Name(id="float" | "complex" | "round"))
            ):
                lines.append(part.lineno)
            case ast.ImportFrom(module="math", names=names) if any(
                alias.name not in INTEGER_MATH for alias in names
            ):
                lines.append(part.lineno)
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in INTEGER_MATH:
                lines.append(part.lineno)
            case _:
                pass
    return sorted(set(lines))


def is_set(node: ast.AST, set_names: frozenset[str]) -> bool:
    """Tell whether an expression is a set, as far as its form and the file's names show."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in set_names
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) if name in SET_METHODS:
            return True
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, SET_OPERATORS):
            return any(is_set(side, set_names) or is_keys(side) for side in (left, right))
        case _:
            return False


def is_keys(node: ast.AST) -> bool:
    """Tell whether an expression is `x.keys()`, which is ordered until it meets an operator."""
    return isinstance(node, ast.Call) and (
        isinstance(node.func, ast.Attribute) and node.func.attr == "keys"
    )


def names_of_sets(tree: ast.Module) -> frozenset[str]:
    """Return the names that a file binds to a set, by assignment or by annotation."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_set(value, frozenset()):
                names.add(name)
            case (
                ast.AnnAssign(target=ast.Name(id=name), annotation=annotation)
                | ast.arg(arg=name, annotation=ast.AST() as annotation)
            ) if ast.unparse(annotation).split("[")[0] in ("set", "frozenset", "Set"):
                names.add(name)
            case _:
                pass
    return frozenset(names)


def iterated(node: ast.AST) -> list[ast.expr]:
    """Return what a node goes through in order."""
    match node:
        case ast.For(iter=given) | ast.comprehension(iter=given) | ast.Starred(value=given):
            return [given]
        case ast.Call(func=ast.Attribute(attr="join"), args=[given]):
            return [given]
        case ast.Call(func=ast.Name(id=name), args=arguments) if name not in ORDER_BLIND:
            return arguments if name in ("list", "tuple", "iter", "enumerate", "zip", "map") else []
        case _:
            return []


def order_blind_comprehensions(tree: ast.Module) -> frozenset[int]:
    """Return the ids of comprehension parts whose order cannot show: in sorted(), a set ..."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp() | ast.ListComp() as c]):
                found |= {id(part) for part in c.generators} if name in ORDER_BLIND else set()
            case ast.SetComp(generators=generators):
                found |= {id(part) for part in generators}
            case _:
                pass
    return frozenset(found)


def unordered_uses(source: str) -> list[int]:
    """Return the lines that go through a set in its own order, or call hash()."""
    tree = ast.parse(source)
    set_names, blind = names_of_sets(tree), order_blind_comprehensions(tree)
    lines = [
        given.lineno
        for node in ast.walk(tree)
        if id(node) not in blind
        for given in iterated(node)
        if is_set(given, set_names)
    ]
    lines += [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash"
    ]
    return sorted(set(lines))


def machine_uses(source: str) -> list[int]:
    """Return the lines that read a clock, the environment, randomness or a socket."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str() as module, names=names):
                modules = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.Attribute():
                modules = [name for name in MACHINE_NAMES if name == ast.unparse(node)]
            case _:
                continue
        if any(name.split(".")[0] in MACHINE_MODULES or name in MACHINE_NAMES for name in modules):
            lines.append(node.lineno)
    return sorted(set(lines))


def file_uses(source: str) -> list[int]:
    """Return the lines that open a file."""
    return sorted(
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rsplit(".", 1)[-1]
        in ("open", "read_bytes", "read_text", "write_bytes", "write_text", "memmap", "fromfile")
    )


@pytest.mark.parametrize("path", WITHOUT_FLOATS, ids=shown)
def test_integers_only(path: Path) -> None:
    assert float_uses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", BLOCK_CODE, ids=shown)
def test_no_set_is_iterated_and_nothing_is_hashed(path: Path) -> None:
    assert unordered_uses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", BLOCK_CODE, ids=shown)
def test_no_clock_environment_or_randomness(path: Path) -> None:
    assert machine_uses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [p for p in INFERENCE if p != READS_DEVICE_CODE], ids=shown)
def test_tensor_engine_opens_no_file(path: Path) -> None:
    assert file_uses(path.read_text(encoding="utf-8")) == []


def test_every_block_package_is_read() -> None:
    packages = {path.relative_to(ROOT).parts[0] for path in BLOCK_CODE}
    assert packages == {"cvm", "models-registry", "opcodes", "consensus"}
    assert ROOT / "cvm/inference/operators/conv.py" not in WITHOUT_FLOATS
    assert {ROOT / "cvm/inference/engine.py", ROOT / "opcodes/gas.py"} <= set(WITHOUT_FLOATS)
    assert all((ROOT / path).is_file() for path in SET_UP)


FLOATS = [
    pytest.param("a = 1 / 2", id="division"),
    pytest.param("a /= 3", id="division in place"),
    pytest.param("a = b / c", id="division of names"),
    pytest.param("a = 0.5", id="literal"),
    pytest.param("a = 1e3", id="exponent"),
    pytest.param("a = 2j", id="complex"),
    pytest.param("a = float(3)", id="float()"),
    pytest.param("a = round(b)", id="round()"),
    pytest.param("a = 2 ** -6", id="negative power"),
    pytest.param("from math import ceil", id="math function"),
    pytest.param("a = math.sqrt(2)", id="math attribute"),
]
NOT_FLOATS = [
    pytest.param("a = 7 // 2", id="floor division"),
    pytest.param("a = 2 ** 31", id="power"),
    pytest.param("p = folder / 'name' / f'{a}.json'", id="path"),
    pytest.param("from math import prod", id="product"),
    pytest.param("a = '0.5'  # 0.5", id="text and comment"),
]


@pytest.mark.parametrize("source", FLOATS)
def test_float_is_seen(source: str) -> None:
    assert float_uses(source) == [1]


@pytest.mark.parametrize("source", NOT_FLOATS)
def test_integer_code_is_not_refused(source: str) -> None:
    assert float_uses(source) == []


UNORDERED = [
    pytest.param("for a in {1, 2}: pass", id="literal"),
    pytest.param("for a in set(b): pass", id="set()"),
    pytest.param("c = [a for a in frozenset(b)]", id="frozenset() in a comprehension"),
    pytest.param("c = list({a for a in b})", id="list of a set"),
    pytest.param("c = tuple(b.keys() & d.keys())", id="keys and operator"),
    pytest.param("c = ','.join(set(b))", id="join"),
    pytest.param("c = [*b.union(d)]", id="unpacked union"),
    pytest.param("b = {1}; c = [a for a in b]", id="name bound to a set"),
    pytest.param("def f(b: set[int]) -> None: list(b)", id="parameter that is a set"),
    pytest.param("c = hash(b)", id="hash()"),
]
ORDERED = [
    pytest.param("for a in sorted(set(b)): pass", id="sorted set"),
    pytest.param("c = sorted(a for a in set(b))", id="sorted comprehension"),
    pytest.param("c = a in {1, 2}", id="membership"),
    pytest.param("for a in b.keys(): pass", id="keys of a dict"),
    pytest.param("c = len(set(b)) + max(set(b))", id="size and largest"),
    pytest.param("c = block.hash", id="attribute named hash"),
]


@pytest.mark.parametrize("source", UNORDERED)
def test_unordered_use_is_seen(source: str) -> None:
    assert unordered_uses(source) == [1]


@pytest.mark.parametrize("source", ORDERED)
def test_ordered_use_is_not_refused(source: str) -> None:
    assert unordered_uses(source) == []


MACHINE = [
    pytest.param("import time", id="clock"),
    pytest.param("from datetime import date", id="date"),
    pytest.param("def f():\n import random", id="randomness in a function"),
    pytest.param("a = os.environ['HOME']", id="environment"),
    pytest.param("from os import environ", id="environ by name"),
    pytest.param("a = np.random.default_rng()", id="numpy randomness"),
    pytest.param("import os, socket", id="socket"),
]


@pytest.mark.parametrize("source", MACHINE)
def test_use_of_the_machine_is_seen(source: str) -> None:
    assert machine_uses(source) == [source.count("\n") + 1]


@pytest.mark.parametrize("source", ["open('x')", "Path('x').read_bytes()", "np.fromfile(f)"])
def test_opening_a_file_is_seen(source: str) -> None:
    assert file_uses(source) == [1]
