"""The ``athena`` command.

Commands import what they need when they run, so that ``athena --help`` answers at once.
"""

import sys

import typer

from athena.cli import data, files, jobs, licences, operations, people, process, services, tokens
from athena.errors import AthenaError

app = typer.Typer(
    name="athena",
    help="Live cryo-EM: registers, processes and shows a microscope's data as it lands.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("up")(services.up)
app.command("demo")(services.demo)
app.command("status")(services.status)
app.command("api")(services.api)
app.command("portal")(services.portal)
app.command("runner")(services.runner)
app.command("backup")(operations.backup)
app.command("restore")(operations.restore)
app.command("doctor")(operations.doctor)
app.add_typer(data.import_app, name="import")
app.command("watch")(data.watch)
app.add_typer(process.process_app, name="process")
app.add_typer(data.simulate_app, name="simulate")
app.command("replay")(data.replay)
app.command("export")(jobs.export)
app.add_typer(jobs.jobs_app, name="jobs")
app.command("upload")(files.upload)
app.command("download")(files.download)
app.add_typer(people.user_app, name="user")
app.add_typer(licences.license_app, name="license")
app.add_typer(tokens.token_app, name="token")


def main() -> None:
    """Run the command; an expected error is one line on the terminal and exit code 1."""
    try:
        app()
    except AthenaError as error:
        print(f"athena: {error}", file=sys.stderr)
        sys.exit(1)
