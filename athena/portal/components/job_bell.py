"""The bell at the top right: how many jobs run or failed, and the latest in a panel that slides over (JB-01)."""

from typing import ClassVar

import param

from athena.portal.components.asking import Asking


class JobBell(Asking):
    """A count, and behind it groups of jobs. It asks as :class:`JobBoard` does."""

    parts: ClassVar[tuple[str, ...]] = ("job_lines",)

    badge = param.Dict(default={}, doc="{count, failed, hint}, as badge_of gives it.")
    groups = param.List(default=[], item_type=dict, doc="{state, label, jobs}, as lately_items gives them.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
