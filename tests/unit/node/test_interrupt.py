"""Ctrl-C in a command: one word on stderr, and the exit status that shells give it."""

from collections.abc import Callable

import pytest
import typer

import node.cli
import node.cli.app


def interrupted_at_once() -> None:
    raise KeyboardInterrupt


def app_with(command: Callable[[], None]) -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


def test_an_interrupt_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["cvm"])
    monkeypatch.setattr(node.cli.app, "build_app", lambda _command: app_with(interrupted_at_once))
    monkeypatch.setattr(node.cli, "pause_collector", lambda: None)
    monkeypatch.setattr(node.cli, "spare_collector", lambda: None)
    with pytest.raises(SystemExit) as left:
        node.cli.main()
    assert left.value.code == 130
    assert capsys.readouterr().err.split() == ["interrupted"]
