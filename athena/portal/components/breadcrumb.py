"""The line at the top: the way from Home to here (WS-09)."""

import param

from athena.portal.components.script import Script


class Breadcrumb(Script):
    """Kind and name at each level, each a link; Home leads to the roots."""

    crumbs = param.List(default=[], item_type=dict, doc="From the root: {kind, name, search}.")
