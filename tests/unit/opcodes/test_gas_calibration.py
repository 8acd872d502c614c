"""Gas against time: what the newest report of `bench.calibrate_gas` measured keeps the bounds."""

from functools import cache

import pytest

from bench.gas_cases.case import SIZES
from bench.gas_table import (
    BEGIN,
    END,
    README,
    Comparison,
    all_cases,
    latest_report,
    network_comparisons,
    operator_comparisons,
    table_text,
)
from bench.networks import NETWORKS
from cvm.inference.backends.cpu.arena import VIEWS
from cvm.inference.limits import OFF_CHAIN_LIMITS
from cvm.inference.model_file import parse_model
from cvm.inference.operators.table import OPERATORS
from node.sample_models import sample_model_path


@cache
def operators() -> tuple[Comparison, ...]:
    """Return what is charged today beside what the report measured."""
    return tuple(operator_comparisons(latest_report()))


def test_every_operator_has_a_case_of_every_size() -> None:
    made = {(case.domain, case.op, case.size) for case in all_cases()}
    wanted = {key for key, spec in OPERATORS.items() if not spec.makes_initializer}
    assert made == {(*key, size) for key in wanted for size in SIZES}


def test_charged_time_of_operators_is_within_the_bounds() -> None:
    assert [entry for entry in operators() if not entry.is_within] == []


def test_charged_time_of_networks_is_within_the_bounds() -> None:
    networks = network_comparisons(latest_report())
    assert len(networks) >= 7
    assert [entry for entry in networks if not entry.is_within] == []


def test_table_in_the_readme_is_that_of_the_report_and_of_todays_prices() -> None:
    text = README.read_text(encoding="utf-8")
    shown = text.partition(BEGIN + "\n")[2].partition(END)[0]
    assert shown == table_text(latest_report())


@pytest.mark.parametrize("name", NETWORKS)
def test_cost_of_a_network_in_the_report_is_todays(name: str) -> None:
    recorded = {entry["model"]: entry["cost"] for entry in latest_report()["networks"]}
    graph = parse_model(NETWORKS[name]().SerializeToString(), OFF_CHAIN_LIMITS).graph
    assert recorded[f"{name} float32"] == list(graph.cost.vector())


@pytest.mark.parametrize("name", ["digits_float32", "digits_int8"])
def test_cost_of_a_digit_model_in_the_report_is_todays(name: str) -> None:
    recorded = {entry["model"]: entry["cost"] for entry in latest_report()["networks"]}
    model = parse_model(sample_model_path(f"{name}.onnx").read_bytes())
    assert recorded[name] == list(model.cost.vector())


def test_nodes_that_move_nothing_are_those_that_the_cpu_backend_keeps_in_place() -> None:
    assert {spec.name for spec in OPERATORS.values() if spec.is_view} == VIEWS
