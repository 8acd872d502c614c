"""How a `cvm model` command ends when something is wrong: one line on stderr, and a status."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cvm.faults import LocalFault, UnknownBackend
from cvm.inference.faults import InvalidModel
from models_registry.chunks import BadModelSize
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import ClientFault
from models_registry.cli.input_arrays import BadInputFile
from models_registry.cli.keys import BadKey
from models_registry.cli.prepare import CannotPrepare
from models_registry.cli.sending import ChainSaysNo
from models_registry.cli.terminal import NotAgreed

FAILED = 1
"""The chain or a node did not do its part, or what was compared differs."""

REFUSED = 2
"""An input is refused, as for wrong options."""

LOCAL_FAULT = 3
"""This machine failed."""


REFUSALS = (
    BadInputFile,
    BadKey,
    BadModelSize,
    CannotPrepare,
    CannotRead,
    InvalidModel,
    NotAgreed,
)


@contextmanager
def faults_shown() -> Iterator[None]:
    """Turn a fault into one line on stderr and an exit status."""
    try:
        yield
    except REFUSALS as fault:
        raise _ending(fault, REFUSED) from fault
    except (ClientFault, ChainSaysNo) as fault:
        raise _ending(fault, FAILED) from fault
    except UnknownBackend as fault:
        raise _ending(fault, REFUSED) from fault
    except LocalFault as fault:
        raise _ending(fault, LOCAL_FAULT) from fault


def _ending(fault: Exception, status: int) -> typer.Exit:
    typer.echo(f"error: {fault}", err=True)
    return typer.Exit(status)
