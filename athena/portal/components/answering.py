"""A component that is told how what it asked for ended: done, or refused with the reason."""

import param

from athena.portal.components.asking import Asking


class Answering(Asking):
    """Base of components whose dialogs close when what was asked was done, and else say why it was not."""

    __abstract = True

    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
