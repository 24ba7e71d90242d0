"""The quality report as a page of paper on the screen (EQ-10)."""

import base64
from typing import Any

import param

from athena.portal.components.asking import Asking


def page_traits(*, svg: bytes, pdf: bytes, name: str) -> dict[str, Any]:
    """A drawn report as the component takes it."""
    return {
        "svg": base64.b64encode(svg).decode(),
        "pdf": base64.b64encode(pdf).decode(),
        "file": f"{name} quality report.pdf",
    }


class ReportPage(Asking):
    """The page, and buttons to print and to save it. It asks ``notebook`` (ending): one that was executed."""

    svg = param.String(default="", doc="The page, base64.")
    pdf = param.String(default="", doc="The same as PDF, base64.")
    file = param.String(default="report.pdf", doc="Name of the file that is saved.")
    notebook = param.Dict(default={}, doc="{data (base64), file, type}: an executed notebook that was asked for.")
    working = param.Boolean(default=False, doc="A notebook is being executed.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    made = param.String(default="", doc="When its numbers were read, ISO.")
