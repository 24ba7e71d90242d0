"""One's own account and the tokens one made for scripts (BY-07)."""

import param

from athena.portal.components.answering import Answering


class TokenBoard(Answering):
    """It asks ``create`` (values), ``revoke`` (id), ``forget`` and ``password`` (values)."""

    user = param.Dict(default={}, doc="{name, username, roles, created}.")
    tokens = param.List(default=[], item_type=dict, doc="Tokens as JSON, and whether each is expired.")
    made = param.Dict(default={}, doc="{name, text} of the token just made: shown this once.")
