"""The help of keys, which ``?`` opens on every page, and ``f``, which leads to the filter of what is shown."""

import param

from athena.portal.components.script import Script


class KeysHelp(Script):
    """A dialog of keys; it shows nothing by itself."""

    groups = param.List(default=[], item_type=dict, doc="{name, label, keys}, as key_groups gives them.")
    here = param.List(default=[], item_type=str, doc="Names of the groups whose keys work on the present page.")
