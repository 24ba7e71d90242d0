"""What a page is told of the components it may hold.

Bokeh writes the definition of every data model of the process into each document. Panel-material-ui brings one for each
of its 140 components, whether a page may hold it or not: 150 kB, written by the server and read by the browser anew for
each session.
"""

from typing import Any

import panel_material_ui as pmui
from bokeh.core.has_props import _default_resolver, is_DataModel
from bokeh.model import Model

from athena.portal.components import script

DRAWN = (pmui.Alert, pmui.Button, pmui.Checkbox, pmui.Column, pmui.Dialog, pmui.Page, pmui.Row, pmui.TextInput)
"""Components of panel-material-ui that the portal uses; one that is not named here stays empty in the browser."""


def define_what_is_drawn() -> None:
    """Let documents define the data models of what the portal draws, and no other component's."""
    wanted = {kind._data_model for kind in (*DRAWN, *script.kinds())}
    register: Any = _default_resolver
    for kind in list(Model.model_class_reverse_map.values()):
        if is_DataModel(kind) and kind not in wanted:
            register.remove(kind)
