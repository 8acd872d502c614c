"""Models that people use, from PyPI packages, each with real input; the tests' list of them.

    python -m tests.real_models           # runs those that are installed, writes the table

Magika (magika), PP-OCR (rapidocr-onnxruntime 1.4.4), the light networks of the onnx package,
scikit-learn models exported by skl2onnx, and the digit networks of this repository.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import onnxruntime

from cvm.inference.backends.backend import Plan
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import output_sha256, run_items
from cvm.inference.limits import CHAIN_LIMITS, OFF_CHAIN_LIMITS
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_bytes import decode_tensor_bytes, encode_tensors
from cvm.inference.tensor_type import Array
from cvm.numba_cache import configure_numba_cache
from models_registry.cli.prepare import Options, prepare_model
from opcodes.gas import INFER_BASE, MAX_ACTIVATION_GAS, compute_gas, load_gas
from tests.real_inputs import (
    MODELS,
    ROOT,
    digit_data,
    flat_digits,
    line,
    magika_item,
    one_digit,
    page,
    photograph,
    two_photographs,
)

README = ROOT / "cvm" / "inference" / "README.md"
BEGIN, END = "<!-- real models: begin -->", "<!-- real models: end -->"
LIGHT = (
    "bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet",
    "squeezenet", "vgg19", "zfnet512",
)  # fmt: skip
TOO_LARGE = {"resnet50": "file size", "vgg19": "file size", "zfnet512": "elements"}
"""The light networks that are larger than a chain takes, and the rule that says so."""
SKLEARN = ("tree", "forest", "boosting", "svm", "mlp", "logistic")


@dataclass(frozen=True, slots=True)
class RealModel:
    """A file, its input, and how far a float output may lie from onnxruntime's.

    `modules` must be installed. `tolerance` is in units of the largest value, at least of 1.
    `too_large` is the size rule by which a chain refuses the file, for one that runs off chain.
    `calibration` has typical inputs for a model that is brought to 8 bits.
    """

    name: str
    modules: tuple[str, ...]
    load: Callable[[], bytes]
    item: Callable[[], Array]
    tolerance: float = 1e-4
    too_large: str = ""
    calibration: Callable[[], Array] | None = None

    def missing(self) -> str:
        """Return the first module that is not installed, or nothing."""
        return next((name for name in self.modules if find_spec(name) is None), "")


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table."""

    name: str
    nodes: int
    macs: int
    cpu_ms: float
    runtime_ms: float
    sha256: str
    difference: float
    same_winner: bool
    chain: str


def package_folder(module: str) -> Path:
    """Return where a package lies, without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"package {module} is not installed")
    return Path(spec.origin).parent


def real_models() -> list[RealModel]:
    """Return every model of the list."""
    return [
        RealModel("magika", ("magika",), magika_file, magika_item),
        RealModel("pp-ocr cls", ("rapidocr_onnxruntime",), _ocr("*cls*"), lambda: line(192)),
        RealModel("pp-ocr rec", ("rapidocr_onnxruntime",), _ocr("*rec*"), lambda: line(320)),
        RealModel("pp-ocr det", ("rapidocr_onnxruntime",), _ocr("*det*"), page),
        *(
            RealModel(f"light {n}", (), _light(n), photograph, too_large=TOO_LARGE.get(n, ""))
            for n in LIGHT
        ),
        RealModel(
            "light resnet50, 8 bits",
            (),
            _light("resnet50"),
            photograph,
            calibration=two_photographs,
        ),
        *(
            RealModel(f"scikit-learn {kind}", ("sklearn", "skl2onnx"), _sklearn(kind), flat_digits)
            for kind in SKLEARN
        ),
        *(
            RealModel(name, (), (MODELS / f"{name}.onnx").read_bytes, one_digit)
            for name in ("digits_float32", "digits_int8")
        ),
    ]


def magika_file() -> bytes:
    """Return the newest network of the package."""
    return sorted((package_folder("magika") / "models").glob("*/model.onnx"))[-1].read_bytes()


def magika_labels() -> list[str]:
    """Return the file types by index."""
    config = sorted((package_folder("magika") / "models").glob("*/config.min.json"))[-1]
    labels: list[str] = json.loads(config.read_text(encoding="utf-8"))["target_labels_space"]
    return labels


def _ocr(pattern: str) -> Callable[[], bytes]:
    def load() -> bytes:
        folder = package_folder("rapidocr_onnxruntime") / "models"
        return next(folder.glob(f"{pattern}.onnx")).read_bytes()

    return load


def _light(name: str) -> Callable[[], bytes]:
    folder = package_folder("onnx") / "backend" / "test" / "data" / "light"
    return (folder / f"light_{name}.onnx").read_bytes


def _sklearn(kind: str) -> Callable[[], bytes]:
    return lambda: _exported(kind)


@cache
def _exported(kind: str) -> bytes:
    """Return a trained model as ONNX; its probabilities are a tensor, not a list of maps."""
    from skl2onnx import to_onnx

    images, labels = digit_data()
    model = _untrained(kind).fit(images[:600], labels[:600])
    options = {id(model): {"zipmap": False}}
    file = to_onnx(model, images[:1], options=options, target_opset={"": 18, "ai.onnx.ml": 3})
    return bytes(file.SerializeToString())


def _untrained(kind: str) -> Any:
    from sklearn import ensemble, linear_model, neural_network, svm, tree

    return {
        "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
        "forest": lambda: ensemble.RandomForestClassifier(100, random_state=0),
        "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
        "svm": lambda: svm.SVC(gamma=0.001, random_state=0),
        "mlp": lambda: neural_network.MLPClassifier((64,), max_iter=60, tol=1.0, random_state=0),
        "logistic": lambda: linear_model.LogisticRegression(max_iter=5_000),
    }[kind]()


def prepared(real: RealModel) -> tuple[Model, bytes]:
    """Return the checked strict form, and the input's bytes."""
    item = real.item()
    data = real.load()
    session = _session(data)
    name = session.get_inputs()[0].name
    calibration = None if real.calibration is None else {name: real.calibration()}
    options = Options(shapes={name: tuple(item.shape)}, calibration=calibration)
    model = parse_model(prepare_model(data, options).data, OFF_CHAIN_LIMITS)
    (value,) = model.graph.inputs
    return model, encode_tensors([item.astype(value.type.dtype)])


def outputs_of(model: Model, output: bytes) -> list[Array]:
    """Return the outputs of one item as arrays."""
    arrays, view = [], memoryview(output)
    for value in model.graph.outputs:
        part, view = view[: value.type.size_bytes], view[value.type.size_bytes :]
        arrays.append(decode_tensor_bytes(part, value.type, value.name))
    return arrays


def measure(real: RealModel, rounds: int = 5) -> Measured:
    """Run a model on the cpu backend and in onnxruntime, one thread each."""
    model, data = prepared(real)
    plan: Plan = backend_named("cpu").plan(model.graph)
    output = run_items(plan, model, data)
    session, item = _session(real.load()), real.item()
    entry = session.get_inputs()[0]
    feeds = {entry.name: item.astype(np.float32) if "float" in entry.type else item}
    wanted = [np.asarray(value) for value in session.run(None, feeds)]
    found = outputs_of(model, output)
    return Measured(
        real.name,
        len(model.graph.nodes),
        model.cost.macs,
        *least_ms(lambda: run_items(plan, model, data), lambda: session.run(None, feeds), rounds),
        output_sha256(output),
        max(map(_difference, found, wanted)),
        all(
            np.array_equal(_winners(ours), _winners(theirs))
            for ours, theirs in zip(found, wanted, strict=True)
            if ours.ndim <= 3
        ),
        refused_by_chains(model),
    )


def refused_by_chains(model: Model) -> str:
    """Return the size limits of a chain that a model breaks, else what one call costs too much."""
    cost, limits = model.cost, CHAIN_LIMITS
    elements = max(t.size for node in model.graph.nodes for t in node.output_types)
    broken = {
        "file size": model.size_bytes > limits.file_bytes,
        "elements": elements > limits.elements,
        "MACs": cost.macs > limits.macs,
        "memory": cost.peak_bytes > limits.peak_bytes,
        "gas": INFER_BASE + load_gas(model.size_bytes) + compute_gas(cost) > MAX_ACTIVATION_GAS,
    }
    return ", ".join(name for name, is_broken in broken.items() if is_broken)


def hashes(model: Model, data: bytes) -> dict[str, str]:
    """Return the output's hash by what ran: the definition, each level, and two threads."""
    wanted = run_items(backend_named("reference").plan(model.graph), model, data)
    found = {"reference": output_sha256(wanted)}
    for level in available_levels():
        plan = CpuBackend(level.name).plan(model.graph)
        found[f"cpu {level.name}"] = output_sha256(run_items(plan, model, data))
    found |= two_threads(model, data)
    return found


def two_threads(model: Model, data: bytes) -> dict[str, str]:
    """Return the hashes of two plans that run at the same time."""
    start = Barrier(2, timeout=60)

    def work(plan: Plan) -> str:
        start.wait()
        return output_sha256(run_items(plan, model, data))

    plans = [backend_named("cpu").plan(model.graph) for _ in range(2)]
    with ThreadPoolExecutor(len(plans)) as pool:
        first, second = pool.map(work, plans)
    return {"cpu, thread 1 of 2": first, "cpu, thread 2 of 2": second}


def _session(data: bytes) -> Any:
    """Return an onnxruntime session of one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _difference(found: Array, wanted: Array) -> float:
    """Return the largest difference, in units of the largest value where that is above 1."""
    ours, theirs = found.astype(np.float64), wanted.astype(np.float64).reshape(found.shape)
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))


def _winners(array: Array) -> Array:
    """Return the place of the largest value of every row."""
    return np.asarray(np.argmax(array.reshape(-1, array.shape[-1]), axis=-1))


def least_ms(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Return the least time of each in milliseconds, over calls that take turns."""
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for run, found in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return min(times[0]) * 1e3, min(times[1]) * 1e3


def table_text(rows: Sequence[Measured]) -> str:
    """Return the table between the marks."""
    lines = [
        "| model | nodes | MACs | ms cpu | ms onnxruntime | largest difference | same winner | "
        "chain | hash |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.nodes} | {row.macs:,} | {row.cpu_ms:.3g} | {row.runtime_ms:.3g} | "
        f"{row.difference:.1e} | {'yes' if row.same_winner else 'no'} | "
        f"{row.chain or 'takes it'} | {row.sha256[:16]} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure what is installed and write the table."""
    configure_numba_cache()
    rows: list[Measured] = []
    for real in real_models():
        if missing := real.missing():
            sys.stdout.write(f"{real.name}: left out, package {missing} is not installed\n")
            continue
        rows.append(measure(real))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
    text = README.read_text(encoding="utf-8")
    section = table_text(rows)
    before, _begin, rest = text.partition(BEGIN + "\n")
    _old, _end, after = rest.partition("\n" + END)
    README.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
