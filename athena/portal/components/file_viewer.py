"""A file that is open: what is known of it, and its content where it can be shown (WS-07)."""

import param

from athena.portal.components.script import Script


class FileViewer(Script):
    """Heading, facts and download of a file; text, tables, pictures and PDF below."""

    file = param.Dict(default={}, doc="As file_item gives it, with folder, sha256 and storage; empty: none.")
    address = param.String(default="", doc="Of its bytes, as the browser reaches them.")
    back = param.String(default="", doc="Address of the page with the folder it lies in.")
    text = param.String(default="")
    html = param.String(default="", doc="Of Markdown: nothing of its writer's but text and links.")
    tables = param.List(default=[], item_type=dict, doc="{name, columns, rows}.")
    choices = param.List(
        default=[], item_type=dict, doc="{label, search, here}: what else of the folder can be looked at as a volume."
    )
    other = param.Dict(default={}, doc="{label, search}: another way to look at it; empty: there is none.")
    cut = param.Boolean(default=False, doc="Whether only the beginning is shown.")
    problem = param.String(default="", doc="Why it cannot be shown.")
