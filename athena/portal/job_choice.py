"""Which jobs the page of jobs shows, as its address says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from athena.contract.jobs import Job, JobState
from athena.portal.job_groups import GROUPS
from athena.portal.place import Place


@dataclass(frozen=True)
class JobChoice:
    """What jobs are asked for; empty: any.

    Parameters
    ----------
    state : how they stand.
    kind : name of their kind.
    owner : user name of who started them.
    element : words of the name of what they work on.
    """

    state: str = ""
    kind: str = ""
    owner: str = ""
    element: str = ""

    @classmethod
    def of(cls, place: Place) -> Self:
        """Read ``state=failed&kind=export&owner=alice&element=grid``."""
        return cls(*(place.option(name) for name in ("state", "kind", "owner", "element")))

    @classmethod
    def asked(cls, asked: dict[str, Any]) -> Self:
        """Read what the component asks."""
        return cls(*(str(asked.get(name, "")).strip() for name in ("state", "kind", "owner", "element")))

    def on(self, place: Place) -> Place:
        """A place with this in its address."""
        return place.having(state=self.state, kind=self.kind, owner=self.owner, element=self.element)

    def among(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are asked for."""
        words = self.element.casefold().split()
        return [
            job
            for job in jobs
            if self.state in ("", job.state)
            and self.kind in ("", job.kind)
            and self.owner in ("", job.initiator)
            and all(word in job.element_name.casefold() for word in words)
        ]

    def offered(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """What can be chosen, for the component, and what is: of kinds and owners those that jobs have."""
        kinds = {job.kind: job.label for job in jobs}
        owners = {job.initiator: job.initiator for job in jobs}
        choices = {
            "state": {state.value: label for state, label in GROUPS.items()},
            "kind": {self.kind: self.kind} | kinds if self.kind else kinds,
            "owner": {self.owner: self.owner} | owners if self.owner else owners,
        }
        if self.state not in set(JobState):
            choices["state"] |= {self.state: self.state} if self.state else {}
        chosen = {"state": self.state, "kind": self.kind, "owner": self.owner, "element": self.element}
        return {"choices": {name: sorted(of.items(), key=_by_label) for name, of in choices.items()}, "chosen": chosen}


def _by_label(choice: tuple[str, str]) -> str:
    return choice[1].casefold()
