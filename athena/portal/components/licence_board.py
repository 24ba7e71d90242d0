"""The platform's licence (AD-04)."""

import param

from athena.portal.components.answering import Answering


class LicenceBoard(Answering):
    """It asks ``install`` (key) and ``refresh``."""

    licence = param.Dict(default={}, doc="LicenceStatus as JSON.")
    said = param.String(default="", doc="What the last thing asked led to.")
