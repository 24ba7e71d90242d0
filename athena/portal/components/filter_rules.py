"""The rules of a filter as sentences, and a way to add one (EQ-08)."""

import param

from athena.portal.components.asking import Asking


class FilterRules(Asking):
    """Rules that must all match.

    Asks ``{"do": "add", "metric", "operator", "value", "upper"}`` (numbers as typed) and ``{"do": "remove", "at"}``.
    """

    rules = param.List(default=[], item_type=dict, doc="{label, operator, value, upper, unit}, numbers as text.")
    metrics = param.List(default=[], item_type=dict, doc="{name, label, unit}: what a rule may look at.")
    problem = param.String(default="", doc="Why the last rule was not added.")
