"""How every part of the instance stands, and what waits (AD-02)."""

import param

from athena.portal.components.answering import Answering


class HealthBoard(Answering):
    """It asks ``reindex`` and ``stop-live-exports``."""

    health = param.Dict(default={}, doc="InstanceHealth as JSON.")
    said = param.String(default="", doc="What the last thing asked led to.")
