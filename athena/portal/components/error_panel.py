"""What went wrong, why, and what to do next."""

import param

from athena.portal.components.script import Script


class ErrorPanel(Script):
    """The error state of a page."""

    title = param.String(default="")
    message = param.String(default="")
    hint = param.String(default="")
