"""A running instance on this machine, as it says so in its home."""

from datetime import datetime

from pydantic import Field

from athena.contract.base import Wire


class Instance(Wire):
    """Content of ``<home>/instance.json``: written once the API answers, removed at the stop."""

    pid: int = Field(description="Process to end (SIGTERM) to stop the instance.")
    api_url: str = Field(description="Address of the API, without /api.")
    portal_url: str = ""
    notebook_url: str = ""
    version: str
    started: datetime
