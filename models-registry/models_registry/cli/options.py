"""Options that several `cvm model` commands take, and a way to declare them once."""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cvm.evm.private_key import PrivateKey
from models_registry.cli.keys import load_key

DEFAULT_RPC = "http://127.0.0.1:8545"

ModelFile = Annotated[Path, typer.Argument(help="an ONNX file")]
ModelName = Annotated[str, typer.Argument(help="a model id (0x and 64 hex digits), or its file")]
Rpc = Annotated[str, typer.Option("--rpc", help="the node's JSON-RPC address")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON on stdout")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Timeout = Annotated[float, typer.Option(help="seconds to wait in each stage")]
DEFAULT_TIMEOUT_S = 600.0

Group = Callable[..., Any]
T = TypeVar("T")


def with_options(**groups: Group) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Let a command, or a larger group, take what a group of options gives in their place.

    The parameters of each group become options of the command, which gets as the parameter of the
    group's name what the group returns for them.
    """

    def expand(command: Callable[..., T]) -> Callable[..., T]:
        signature = inspect.signature(command)
        declared = {name: inspect.signature(group).parameters for name, group in groups.items()}
        parameters = [
            option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in signature.parameters.values()
            for option in _expanded(parameter, declared)
        ]

        @wraps(command)
        def run(**given: Any) -> T:
            taken = {
                name: group(**{option: given.pop(option) for option in declared[name]})
                for name, group in groups.items()
            }
            return command(**given, **taken)

        vars(run)["__signature__"] = signature.replace(parameters=parameters)
        run.__annotations__ = {option.name: option.annotation for option in parameters}
        return run

    return expand


def _expanded(
    parameter: inspect.Parameter, declared: Mapping[str, Mapping[str, inspect.Parameter]]
) -> list[inspect.Parameter]:
    """Return a parameter itself, or the options of the group that it stands for."""
    group = declared.get(parameter.name)
    return [parameter] if group is None else list(group.values())


def key_options(dev_key: bytes | None, *, is_needed: bool = True) -> Group:
    """Return the group of options that name a private key; raises `BadKey` when it is used.

    Where no key is needed and none is named, the group gives None.
    """

    def key(
        key_env: Annotated[
            str | None, typer.Option(help="environment variable that holds the key in hex")
        ] = None,
        keystore: Annotated[Path | None, typer.Option(help="keystore file, version 3")] = None,
        password_file: Annotated[Path | None, typer.Option(help="its password")] = None,
        account: Annotated[
            str | None, typer.Option(help="dev: the dev chain's funded account")
        ] = None,
    ) -> PrivateKey | None:
        if not is_needed and (key_env, keystore, account) == (None, None, None):
            return None
        return load_key(
            os.environ,
            dev_key,
            key_env=key_env,
            keystore=keystore,
            password_file=password_file,
            account=account,
        )

    return key
