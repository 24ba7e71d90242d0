"""Metadata of an element: shown, searched, written, exported (MD-01…06)."""

import param

from athena.portal.components.asking import Asking


class MetadataEditor(Asking):
    """Groups of metadata; those of the group Custom can be written.

    It asks ``set`` (name, type, value, quantity, unit), ``remove`` (name) and ``convert`` (value, quantity, unit, to).
    """

    entries = param.List(default=[], item_type=dict, doc="MetadataEntry as JSON.")
    names = param.List(default=[], item_type=dict, doc="Names already used: {name, type, quantity, unit}.")
    quantities = param.List(default=[], item_type=dict, doc="{key, label, units: [{symbol, name}]}.")
    may_write = param.Boolean(default=False)
    address = param.String(default="", doc="Of the exported file, without its query; empty: none is offered.")
    file_name = param.String(default="", doc="Name that is offered for the exported file.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
    converted = param.Dict(default={}, doc="{value, unit}: the answer to convert.")
    waiting = param.Boolean(default=True)
