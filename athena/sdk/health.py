"""How the parts of an instance stand, as a table."""

from collections.abc import Iterator

from athena.contract.health import InstanceHealth, QueueHealth, ServiceHealth, ServiceState
from athena.sdk import html


class Services:
    """The parts of an instance; iterate over them, or show it in a notebook."""

    def __init__(self, model: InstanceHealth) -> None:
        self.model = model

    @property
    def queue(self) -> QueueHealth:
        """What waits and what is under way."""
        return self.model.queue

    @property
    def down(self) -> list[ServiceHealth]:
        """Parts that do not live."""
        return [one for one in self if one.state is ServiceState.DOWN]

    def __iter__(self) -> Iterator[ServiceHealth]:
        return iter(self.model.services)

    def __len__(self) -> int:
        return len(self.model.services)

    def __getitem__(self, name: str) -> ServiceHealth:
        """Part by kind (``services["runner"]``) or by full name; the first where there are several."""
        for one in self:
            if name in (one.kind.value, one.name):
                return one
        raise KeyError(name)

    def __repr__(self) -> str:
        width = max((len(one.name) for one in self), default=0)
        lines = [f"{one.name:<{width}}  {one.state:<8} {one.version}  {one.message}".rstrip() for one in self]
        return "\n".join([*lines, queue_text(self.queue)])

    def _repr_html_(self) -> str:
        rows = [[html.text(word) for word in (one.name, one.state, one.version, one.message)] for one in self]
        table = html.table(("service", "state", "version", ""), rows)
        return html.page(html.card("Services", queue_text(self.queue), table))


def queue_text(queue: QueueHealth) -> str:
    """The queues in one line."""
    since = f" (the oldest since {queue.oldest_waiting:%Y-%m-%d %H:%M %Z})" if queue.oldest_waiting else ""
    return (
        f"{queue.jobs_running} jobs running, {queue.jobs_waiting} waiting{since}; "
        f"{queue.movies_processing} movies in process, {queue.movies_waiting} waiting"
    )
