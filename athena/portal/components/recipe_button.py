"""Opens what a page shows as a notebook (NB-03)."""

import param

from athena.portal.components.script import Script


class RecipeButton(Script):
    """A button at the top right; its dialog has the lines, to copy or to save as a notebook."""

    code = param.String(default="", doc="Python; empty: there is nothing to open.")
    name_of_file = param.String(default="Athena", doc="Name of the notebook, without its ending.")
