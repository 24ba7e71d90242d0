"""Run one machine's instance, tell where it is, and say how it stands."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from athena.cli.health import print_services
from athena.cli.stack import Addresses, answers, notebook_service, start_core
from athena.cli.supervisor import Supervisor
from athena.contract.jobs import Job
from athena.contract.people import User
from athena.embedded import announced
from athena.errors import Conflict, Unavailable
from athena.sdk.client import Client
from athena.sdk.instance import find_instance, read_token
from athena.settings import Settings

FIRST_NOTEBOOK = "01_first_look.ipynb"
HUB_READY_SECONDS = 90.0
HUB_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Running:
    """A running instance: what supervises it, where it is, and its owner's token."""

    supervisor: Supervisor
    addresses: Addresses
    token: str


@contextlib.contextmanager
def running_instance(settings: Settings, console: Console, *, portal: bool, notebook: bool) -> Iterator[Running]:
    """Start an instance and print its addresses; stop it when the block ends, also by Ctrl-C.

    Raises
    ------
    Conflict : an instance already runs in this home.
    Unavailable : a part did not start; the hint shows the end of its log.
    """
    if (other := find_instance(settings)) is not None:
        raise Conflict(
            f"Athena already runs in {settings.home} (process {other.pid}, {other.api_url}).",
            hint="Use it, or stop it with Ctrl-C where it was started.",
        )
    supervisor = Supervisor(settings.home / "logs")
    addresses = Addresses.choose(settings)
    try:
        with console.status("starting Athena"):
            start_core(supervisor, settings, addresses, portal=portal, notebook=notebook)
            token = read_token(settings)
            folder = notebook_folder(settings)
            if notebook:
                supervisor.start(notebook_service(settings, addresses, folder, token))
        with announced(
            settings,
            api_url=addresses.api,
            portal_url=addresses.portal if portal else "",
            notebook_url=addresses.notebook if notebook else "",
        ):
            print_addresses(console, addresses, token, portal=portal, notebook=folder if notebook else None)
            yield Running(supervisor, addresses, token)
    except KeyboardInterrupt:
        console.print("\nstopping …")
    finally:
        supervisor.stop()


def run_instance(settings: Settings, console: Console, *, portal: bool, notebook: bool) -> None:
    """Run until Ctrl-C."""
    with running_instance(settings, console, portal=portal, notebook=notebook) as instance:
        console.print("Ctrl-C stops everything.")
        instance.supervisor.watch()


def run_hub(settings: Settings, console: Console) -> None:
    """Run JupyterHub, which starts Athena's parts as its services, until Ctrl-C."""
    from hub_config.launch import hub_command

    argv, environment = hub_command(settings)
    url = f"http://{settings.host}:{settings.hub_port}"
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "hub.log").open("ab") as output:
        hub = subprocess.Popen(
            argv, env=environment, cwd=settings.home, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        with console.status("starting JupyterHub"):
            _wait_for_hub(hub, f"{url}/hub/health", logs / "hub.log")
        console.print(f"Athena    {url}  (log in with a name made by 'athena user add')")
        console.print(f"Logs      {logs / 'hub.log'}\nCtrl-C stops everything.")
        code = hub.wait()
        raise Unavailable(f"JupyterHub ended with code {code}.", hint=f"See {logs / 'hub.log'}.")
    except KeyboardInterrupt:
        console.print("\nstopping …")
    finally:
        hub.terminate()
        try:
            hub.wait(HUB_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()


def _wait_for_hub(hub: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + HUB_READY_SECONDS
    while not answers(url):
        if hub.poll() is not None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
            raise Unavailable(f"JupyterHub ended with code {hub.returncode} while starting.", hint=tail)
        if time.monotonic() > deadline:
            raise Unavailable(f"JupyterHub did not answer within {HUB_READY_SECONDS:.0f} s.", hint=f"See {log}.")
        time.sleep(0.2)


def notebook_folder(settings: Settings) -> Path:
    """The tutorials of a checkout, else a folder of the instance's own, with those of the package in it."""
    here = Path(__file__).resolve()
    tutorials = here.parents[2] / "notebooks"
    if (tutorials / FIRST_NOTEBOOK).exists():
        return tutorials
    folder = settings.home / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for packed in sorted((here.parent / "notebooks").glob("*.ipynb")):
        # what somebody went on with stays as it is
        if not (folder / packed.name).exists():
            shutil.copyfile(packed, folder / packed.name)
    return folder


def print_addresses(console: Console, addresses: Addresses, token: str, *, portal: bool, notebook: Path | None) -> None:
    """Print where to go; the addresses carry the log-in token."""
    if portal:
        console.print(f"Portal    {addresses.portal}/login?token={token}", soft_wrap=True, highlight=False)
    if notebook is not None:
        page = f"/tree/{FIRST_NOTEBOOK}" if (notebook / FIRST_NOTEBOOK).exists() else ""
        console.print(f"Notebook  {addresses.notebook}/lab{page}?token={token}", soft_wrap=True, highlight=False)
    console.print(f"API       {addresses.api}/api", soft_wrap=True, highlight=False)


def print_status(settings: Settings, console: Console) -> None:
    """Print where the instance of this home is, who is asking and what it is working on."""
    instance = find_instance(settings)
    if instance is None:
        raise Unavailable(f"No Athena is running in {settings.home}.", hint="Start it with 'athena up'.")
    console.print(f"Athena {instance.version}, process {instance.pid}, since {instance.started:%Y-%m-%d %H:%M %Z}")
    for name, url in (("API", instance.api_url), ("Portal", instance.portal_url), ("Notebook", instance.notebook_url)):
        if url:
            console.print(f"{name:<9} {url}  {'answers' if answers(url) else 'does not answer'}", soft_wrap=True)
    with Client(instance.api_url, read_token(settings)) as client:
        console.print(f"You are   {client.get('/me', User).username}")
        jobs = client.get("/jobs", list[Job])
        print_services(client, console)
    if not jobs:
        console.print("No jobs.")
        return
    table = Table("Job", "On", "State", "Progress", box=None, pad_edge=False)
    for job in jobs:
        table.add_row(job.label, job.element_name, job.state.value, f"{job.done} of {job.total}")
    console.print(table)
