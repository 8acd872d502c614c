"""A client passes where it took every step, and the table says what it did not do."""

import pytest

from tests.clients.client_table import CLIENTS, Client
from tests.clients.outcome import closing_line, judge, skipped, table

SENDER = Client("sender", ("npm",), ("node", "sender.mjs"), ("deploy", "send"))
READER = Client("reader", (), ("reader",), ("read",))


def test_a_client_that_took_every_step_passed() -> None:
    outcome = judge(SENDER, "hello\nok deploy\nok send\n", 0, 2.5)
    assert (outcome.verdict, outcome.steps) == ("passed", ("deploy", "send"))


@pytest.mark.parametrize(
    ("printed", "status", "missing"),
    [
        pytest.param("ok deploy\n", 0, "send", id="ended early, with a good status"),
        pytest.param("ok deploy\nok send\n", 1, "nothing", id="every step, with a bad status"),
        pytest.param("ok send\nok deploy\n", 0, "nothing", id="in another order"),
        pytest.param("ok deploy\nok send\nok read\n", 0, "nothing", id="a step of nobody's"),
        pytest.param("", 124, "deploy send", id="no step"),
    ],
)
def test_a_client_failed_otherwise(printed: str, status: int, missing: str) -> None:
    outcome = judge(SENDER, printed, status, 1.0)
    assert outcome.verdict == "failed"
    assert outcome.reason == f"status {status}, not done: {missing}\n{printed}"


def test_the_table_names_each_step_of_each_client() -> None:
    outcomes = [judge(SENDER, "ok deploy\n", 1, 12.3), skipped(READER, "no reader")]
    assert table(outcomes).splitlines() == [
        "client  deploy  send    read     logs  subscribe  model  errors  fees  seconds",
        "sender  ok      FAILED  -        -     -          -      -       -     12",
        "reader  -       -       skipped  -     -          -      -       -     -",
    ]
    assert closing_line(outcomes) == "0 passed, 1 failed, 1 skipped"


def test_every_client_has_a_name_and_an_account_of_its_own() -> None:
    names = {client.name for client in CLIENTS}
    assert len(names) == len(CLIENTS) <= 9
