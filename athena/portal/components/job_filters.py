"""Boxes that narrow a list of jobs: by state, kind, owner and element."""

import param

from athena.portal.components.asking import Asking


class JobFilters(Asking):
    """Asks for ``{state, kind, owner, element}``, empty for any."""

    choices = param.Dict(default={}, doc="By box (state, kind, owner): pairs of value and label.")
    chosen = param.Dict(default={}, doc="By box, and element: what is asked for.")
    shown = param.Integer(default=0)
    total = param.Integer(default=0)
