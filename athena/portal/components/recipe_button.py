"""Opens what a page shows as a notebook (NB-03)."""

import param

from athena.portal.components.script import Script


class RecipeButton(Script):
    """A button at the top right; its dialog has the lines, to copy or to save as a notebook."""

    code = param.String(default="", doc="Python; empty: there is nothing to open.")
    notebook = param.String(default="", doc="The same as .ipynb.")
    lab = param.String(default="", doc="Address that opens it in the visitor's JupyterLab; empty: there is none.")
    name_of_file = param.String(default="Athena", doc="Name of the notebook, without its ending.")
