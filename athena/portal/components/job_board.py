"""Jobs in groups, each with its progress (JB-01…04)."""

from typing import ClassVar

import param

from athena.portal.components.asking import Asking

NONE = "No job. Exports, deletions, archiving and processing show here while they run."


class JobBoard(Asking):
    """Groups of jobs. It asks ``cancel``, ``retry``, ``remove`` (id) and ``remove-ended``."""

    parts: ClassVar[tuple[str, ...]] = ("job_lines",)

    groups = param.List(default=[], item_type=dict, doc="{state, label, jobs}, as group_items gives them.")
    none = param.String(default=NONE, doc="What is said where there is none.")
