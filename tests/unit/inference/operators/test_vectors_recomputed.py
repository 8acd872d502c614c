"""The vector files hold what exact fractions give, not what the engine gives."""

import pytest

from tests.oracle.write_vectors import CASES, FOLDER, vector_file


@pytest.mark.parametrize("name", sorted(CASES))
def test_file_equals_the_oracle(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == vector_file(name)


def test_no_file_is_left_over() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(CASES)
