"""Structured logs on standard error: pretty for people, JSON lines for machines.

What may hold a secret never gets into a line: see `hide_secrets`.
"""

import logging
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import structlog

from cvm.evm.private_key import PrivateKey

LEVELS = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)
"""By geth's verbosity: nothing here is critical, so 0 is silent; 5 (trace) has no more than 4."""

SECRET_WORDS = ("key", "mnemonic", "passphrase", "password", "private_key", "secret", "seed")
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """How much is logged, in which form, and where beside standard error.

    With `max_bytes` a file that would grow over it becomes `NAME.1`, the one before `NAME.2`, and
    so on up to `backups`.
    """

    as_json: bool = False
    verbosity: int = 3
    file: Path | None = None
    max_bytes: int | None = None
    backups: int = 10


class LogFile:
    """Standard error and a file, as one stream; rotation happens between lines."""

    def __init__(self, config: LogConfig, path: Path, beside: TextIO) -> None:
        self._config = config
        self._path = path
        self._beside = beside
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def write(self, text: str) -> int:
        """Write a line to both."""
        limit = self._config.max_bytes
        size_bytes = self._file.tell()
        if limit is not None and size_bytes and size_bytes + len(text.encode()) > limit:
            self._rotate()
        self._file.write(text)
        return self._beside.write(text)

    def flush(self) -> None:
        """Hand both to the system."""
        self._file.flush()
        self._beside.flush()

    def close(self) -> None:
        """Close the file; standard error stays."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._config.backups, 0, -1):
            source = self._numbered(number - 1)
            if source.exists():
                source.replace(self._numbered(number))
        self._file = self._path.open("a", encoding="utf-8")

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def configure_logs(config: LogConfig | None = None) -> LogFile | None:
    """Send every log line to standard error, and to a file if that is wanted, in one format.

    Returns that file, for its owner to close.
    """
    config = config or LogConfig()
    file = None if config.file is None else LogFile(config, config.file, sys.stderr)
    stream: Any = file or sys.stderr  # structlog asks for a TextIO and uses write and flush
    renderer = (
        structlog.processors.JSONRenderer()
        if config.as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and config.file is None)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            LEVELS[min(config.verbosity, len(LEVELS) - 1)]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
    )
    return file


def hide_secrets(
    _logger: object,
    _method: str,
    fields: MutableMapping[str, Any],  # structlog's own type
) -> MutableMapping[str, Any]:  # the same
    """Replace private keys, and whatever goes by the name of a secret.

    Tracebacks are plain: they show lines of code and never the values of variables.
    """
    for name, value in fields.items():
        is_secret = isinstance(value, PrivateKey) or name.lower() in SECRET_WORDS
        if is_secret and name != "event":
            fields[name] = HIDDEN
    return fields
