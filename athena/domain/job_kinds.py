"""What a kind of job is: one definition that the API, the runner and installed packages share.

A package offers a kind by an entry point of group ``athena.jobs`` that names a :class:`JobSpec`. The spec is light;
what it runs is named by ``"package.module:function"`` and imported only where it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from athena.contract.base import Wire
from athena.contract.elements import DatasetType, ElementKind
from athena.contract.jobs import NoParameters
from athena.contract.people import Action

GROUP = "athena.jobs"
CONTENT = "content"
"""Slot of the jobs that move or take away part of what an element holds."""


@dataclass(frozen=True)
class JobSpec:
    """One kind of job.

    Attributes
    ----------
    name, label : for machines, and for people ("Export").
    run : ``"module:function"``, called by a runner as ``run(context)`` with an ``athena.jobs.context.JobContext``. It
        is called again after an interruption, with the checkpoint that was last saved, and goes on from there.
    parameters : model that every request's parameters must pass.
    action : what the starter must be allowed to do with the element; None: administrators only, and no element.
    elements, dataset_types : what it works on.
    prepare : ``"module:function"``, called in the transaction that makes the job as ``prepare(session, principal,
        element, parameters, settings)``; refuses with an error of ``athena.errors``, or returns a :class:`Prepared`.
    tidy : ``"module:function"``, called as ``tidy(context)`` when a job that had begun is cancelled.
    slot : open jobs of one slot exclude each other on an element (those of :data:`CONTENT` also above and below it);
        empty: any number at a time.
    unit : what its progress counts.
    startable : whether people start it themselves.
    cancellable, retriable : whether an open one can be called off, and an ended one begun again.
    automatic_attempts : how often it is begun when what it needs is away for a while (network, disk); 0: for ever.
    follows : it waits for things to come, maybe for days, so it does not count among the jobs of a runner.
    """

    name: str
    label: str
    run: str
    parameters: type[Wire] = NoParameters
    action: Action | None = Action.WRITE
    elements: tuple[ElementKind, ...] = (ElementKind.DATASET,)
    dataset_types: tuple[DatasetType, ...] = tuple(DatasetType)
    prepare: str = ""
    tidy: str = ""
    slot: str = ""
    unit: str = "items"
    startable: bool = True
    cancellable: bool = True
    retriable: bool = True
    automatic_attempts: int = 3
    follows: bool = False


@dataclass(frozen=True)
class Prepared:
    """What ``prepare`` settled: the parameters to keep, and what is known of the result already."""

    parameters: Wire
    result: Mapping[str, Any] = field(default_factory=dict)
