"""Notes on an element: read and written (WS-17)."""

import param

from athena.portal.components.asking import Asking


class NoteList(Asking):
    """Notes, newest first. It asks ``add`` (text, links), ``change`` (id, text, links) and ``delete`` (id)."""

    notes = param.List(default=[], item_type=dict, doc="{id, author, text, html, links, created, updated, editable}.")
    may_write = param.Boolean(default=False)
    element = param.String(default="", doc="Id of the element: another one empties the form.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
    waiting = param.Boolean(default=True)
