"""Samples as a list, or one of them with all that came of it (WS-22)."""

import param

from athena.portal.components.answering import Answering


class SampleBoard(Answering):
    """It asks ``look`` (text), ``register`` and ``change`` (values), ``delete`` and ``unlink`` (id of an element)."""

    parts = ("samples",)

    text = param.String(default="", doc="What the list is narrowed to.")
    samples = param.List(default=[], item_type=dict, doc="As sample_item gives them.")
    total = param.Integer(default=0)
    sample = param.Dict(default={}, doc="The one that is open, as sample_item gives it; empty: the list is shown.")
    products = param.List(default=[], item_type=dict, doc="What came of it, as hit_item gives it.")
