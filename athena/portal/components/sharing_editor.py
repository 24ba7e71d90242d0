"""Who may do what with an element: seen by all, changed by owners (SH-01…05)."""

import param

from athena.portal.components.asking import Asking


class SharingEditor(Asking):
    """Owners, viewers and collaborators, Everybody, and where the permissions come from.

    It asks ``find`` (text), ``grant`` (kind, name, role or null), ``public`` (role or null) and ``inherit``.
    """

    permissions = param.Dict(default={}, doc="Permissions as JSON, with source_label and source_search; empty: none.")
    found = param.List(default=[], item_type=dict, doc="Grantees whose name begins as typed: {kind, name, label}.")
    above = param.Boolean(default=False, doc="Whether there is an element above to inherit from.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
