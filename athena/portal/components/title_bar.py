"""Name of what is shown, with its kind and status."""

import param

from athena.portal.components.script import Script


class TitleBar(Script):
    """Heading of a page."""

    kind = param.String(default="")
    title = param.String(default="")
    status = param.String(default="")
    about = param.String(default="")
