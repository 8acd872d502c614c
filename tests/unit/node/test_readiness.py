"""What a node says of itself: syncing, not ready, ready."""

import pytest

from node.readiness import NodeReadiness, Phase, Readiness

MODEL, OTHER = b"\xab" * 32, b"\xcd" * 32
NAME = "ab" * 32


@pytest.mark.parametrize(
    ("height", "highest", "missing", "text"),
    [
        pytest.param(5, 5, (), "ready", id="at the tip"),
        pytest.param(5, 0, (), "ready", id="alone"),
        pytest.param(5, 6, (), "ready", id="the next block is on its way"),
        pytest.param(5, 7, (), "syncing", id="two blocks behind"),
        pytest.param(5, 7, (MODEL,), "syncing", id="behind and without a model"),
        pytest.param(5, 5, (MODEL,), f"not ready (model 0x{NAME} missing)", id="one missing"),
        pytest.param(
            5, 5, (MODEL, OTHER), f"not ready (model 0x{NAME} and 1 more missing)", id="two missing"
        ),
    ],
)
def test_the_words_for_where_a_node_stands(
    height: int, highest: int, missing: tuple[bytes, ...], text: str
) -> None:
    readiness = Readiness(lambda: height, lambda: highest, lambda: missing)
    assert str(readiness.now()) == text
    assert readiness.is_syncing() is (text == "syncing")


def test_a_node_that_is_behind_for_want_of_a_model_names_it() -> None:
    waiting = Readiness(lambda: 3, lambda: 9, lambda: (OTHER, MODEL), awaited=lambda: (MODEL,))
    assert str(waiting.now()) == f"not ready (model 0x{NAME} and 1 more missing)"
    assert not waiting.is_syncing()


def test_an_answer_holds_what_it_follows_from() -> None:
    found = Readiness(lambda: 3, lambda: 9, lambda: (MODEL,)).now()
    assert found == NodeReadiness(Phase.SYNCING, 3, 9, (MODEL,))
