"""Jobs in groups, each with its progress (JB-01…04)."""

import param

from athena.portal.components.asking import Asking


class JobBoard(Asking):
    """Groups of jobs. It asks ``cancel``, ``retry``, ``remove`` (id) and ``remove-ended``."""

    groups = param.List(default=[], item_type=dict, doc="{state, label, jobs}, as group_items gives them.")
