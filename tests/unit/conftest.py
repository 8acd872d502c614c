"""Fixtures that several packages share."""

import pytest

from cvm.evm.message_rules import Interpreter
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.plain_interpreter import PlainInterpreter
from tests import evm_world


@pytest.fixture(
    params=[
        pytest.param(NativeInterpreter, id="compiled"),
        pytest.param(PlainInterpreter, id="plain"),
    ]
)
def interpreter(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> type[Interpreter]:
    """Run a test on each interpreter."""
    chosen: type[Interpreter] = request.param
    monkeypatch.setattr(evm_world, "INTERPRETER", chosen)
    return chosen
