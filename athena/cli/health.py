"""The services of an instance as a table on the terminal."""

from rich.console import Console
from rich.table import Table

from athena.contract.health import InstanceHealth, ServiceState
from athena.errors import Forbidden
from athena.sdk.client import Client
from athena.sdk.health import queue_text

COLOURS = {ServiceState.STABLE: "green", ServiceState.WAITING: "yellow", ServiceState.DOWN: "red"}


def print_services(client: Client, console: Console) -> None:
    """Print every part with version and state, and the queues; nothing for who may not see them."""
    try:
        found = client.get("/services", InstanceHealth)
    except Forbidden:
        return
    table = Table("Service", "State", "Version", "", box=None, pad_edge=False)
    for one in found.services:
        table.add_row(one.name, f"[{COLOURS[one.state]}]{one.state.capitalize()}[/]", one.version, one.message)
    console.print(table)
    console.print(queue_text(found.queue), soft_wrap=True, highlight=False)
