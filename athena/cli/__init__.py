"""The ``athena`` command.

A command's module is imported when that command runs, and what it needs when it is at work: a script that processes
movies one by one waits for neither the web nor the database.
"""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from athena.errors import AthenaError

COMMANDS = {
    "up": "services:up",
    "demo": "services:demo",
    "status": "services:status",
    "api": "services:api",
    "portal": "services:portal",
    "runner": "services:runner",
    "backup": "operations:backup",
    "restore": "operations:restore",
    "doctor": "operations:doctor",
    "import": "data:import_app",
    "watch": "data:watch",
    "reprocess": "data:reprocess",
    "process": "process:process_app",
    "simulate": "simulate:simulate_app",
    "replay": "simulate:replay",
    "export": "jobs:export",
    "jobs": "jobs:jobs_app",
    "report": "reports:report",
    "upload": "files:upload",
    "download": "files:download",
    "user": "people:user_app",
    "license": "licences:license_app",
    "token": "tokens:token_app",
}
"""Module of this package and name in it of each command, in the order in which the help shows them."""


class Commands(TyperGroup):
    """Finds a command by its name when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(f"athena.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(pretty_exceptions_enable=False)
            alone.command(cmd_name)(found)
            found = alone
        command = get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="athena",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _athena() -> None:
    """Live cryo-EM: registers, processes and shows a microscope's data as it lands."""


def main() -> None:
    """Run the command; an expected error is one line on the terminal and exit code 1."""
    try:
        app()
    except AthenaError as error:
        print(f"athena: {error}", file=sys.stderr)
        sys.exit(1)
