"""What stands where there is nothing yet: one sentence, and what starts it."""

import param

from athena.portal.components.script import Script


class EmptyState(Script):
    """The empty state of a view."""

    sentence = param.String(default="")
    command = param.String(default="", doc="A command that starts it, to be copied; empty where there is none.")
