"""Puts the commands of `cvm model` together; what they know of opcodes the node hands in."""

import typer

from models_registry.cli.bind_command import add_bind
from models_registry.cli.infer_command import add_infer
from models_registry.cli.list_commands import add_list, add_show
from models_registry.cli.owner_commands import (
    add_expire,
    add_retire,
    add_royalty,
    add_transfer,
    add_withdraw,
)
from models_registry.cli.prepare_command import add_check, add_prepare
from models_registry.cli.pull_command import add_pull
from models_registry.cli.register_command import add_push, add_register
from models_registry.cli.rules import ModelRules
from models_registry.cli.status_command import add_status
from models_registry.cli.verify_command import add_verify


def model_commands(rules: ModelRules) -> typer.Typer:
    """Return the commands, in the order of a model's life, to be mounted as `cvm model`."""
    app = typer.Typer(help="Prepare, register, call and look after models.", no_args_is_help=True)
    add_prepare(app, rules)
    add_check(app, rules)
    add_push(app, rules)
    add_register(app, rules)
    add_status(app, rules)
    add_list(app)
    add_show(app, rules)
    add_pull(app)
    add_bind(app, rules)
    add_infer(app, rules)
    add_verify(app, rules)
    add_royalty(app, rules)
    add_transfer(app, rules)
    add_retire(app, rules)
    add_withdraw(app, rules)
    add_expire(app, rules)
    return app
