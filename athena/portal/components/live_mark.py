"""The mark at the top right: whether what is shown follows the platform."""

import param

from athena.portal.components.script import Script


class LiveMark(Script):
    """Live while events arrive; says so plainly when the API does not answer."""

    link = param.Selector(default="wait", objects=["wait", "up", "down"])
