"""The quality report as a page of paper on the screen (EQ-10)."""

import base64
from typing import Any

import param

from athena.portal.components.script import Script


def page_traits(*, svg: bytes, pdf: bytes, name: str) -> dict[str, Any]:
    """A drawn report as the component takes it."""
    return {
        "svg": base64.b64encode(svg).decode(),
        "pdf": base64.b64encode(pdf).decode(),
        "file": f"{name} quality report.pdf",
    }


class ReportPage(Script):
    """The page, and buttons to save it as PDF and to print it."""

    svg = param.String(default="", doc="The page, base64.")
    pdf = param.String(default="", doc="The same as PDF, base64.")
    file = param.String(default="report.pdf", doc="Name of the file that is saved.")
    made = param.String(default="", doc="When its numbers were read, ISO.")
