"""The samples that a step or dataset was made of (WS-22)."""

from typing import Any

import param

from athena.contract.samples import ElementSample, Sample
from athena.portal.components.asking import Asking
from athena.portal.place import Place


def sample_item(sample: Sample) -> dict[str, Any]:
    """A sample as components take it; its metadata are shown elsewhere."""
    shown = sample.model_dump(mode="json", exclude={"metadata"})
    return shown | {"search": Place(page="samples").having(id=str(sample.id)).search}


def linked_item(sample: ElementSample) -> dict[str, Any]:
    """A sample of an element, with the place of the step that it is linked to, where it is."""
    place = Place(sample.above).having(panel="samples").search if sample.above else ""
    return sample_item(sample) | {"above": place}


class SampleList(Asking):
    """Samples of an element: linked, taken off, registered.

    It asks ``find`` (text), ``link`` and ``unlink`` (id), and ``register`` (values).
    """

    parts = ("samples",)

    samples = param.List(default=[], item_type=dict, doc="As linked_item gives them.")
    found = param.List(default=[], item_type=dict, doc="Samples that may be linked, as sample_item gives them.")
    may_write = param.Boolean(default=False)
    element = param.String(default="", doc="Id of the element: another one empties the form.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
    waiting = param.Boolean(default=True)
