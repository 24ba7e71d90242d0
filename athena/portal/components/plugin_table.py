"""What installed packages add to Athena (AD-03)."""

import param

from athena.portal.components.script import Script


class PluginTable(Script):
    """A table of plugins."""

    plugins = param.List(default=[], item_type=dict, doc="Plugins as JSON, by type and name.")
