"""The people of the platform, their roles and licence seats (AD-06…08)."""

import param

from athena.portal.components.answering import Answering


class UsersBoard(Answering):
    """It asks ``find`` (text), ``look-up`` (text), ``add`` and ``change`` and ``password`` and ``remove`` (values).

    Of one person also ``assign`` and ``unassign`` (role), ``give-licence`` and ``take-licence``; all with the ``id``.
    """

    accounts = param.List(default=[], item_type=dict, doc="Accounts as JSON.")
    counts = param.Dict(default={}, doc="{users, active_users, free_seats, total}.")
    may = param.Dict(default={}, doc="{manage, licences, roles: [roles that the visitor may give and take]}.")
    text = param.String(default="", doc="What the list is narrowed to.")
    people = param.List(default=[], item_type=dict, doc="Entries of the site's directory that were looked up.")
    said = param.String(default="", doc="What is to be said about the last thing done.")
