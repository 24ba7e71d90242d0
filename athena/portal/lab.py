"""A place of the portal as a notebook in a person's own JupyterLab (NB-03): an extension of their notebook server.

``athena/open?e=…&tab=…`` on a notebook server writes the notebook of that place into the folder ``Athena`` and opens it
in JupyterLab. The address names a place and never code: the lines are made here, so that a stranger's link opens
nothing but what the portal would show. What is there already is not written over.
``athena up`` and ``athena up --hub`` load it; a hub of a site's own with
``--ServerApp.jpserver_extensions="{'athena.portal.lab': True}"``.
"""

import asyncio
import json
from typing import Any
from urllib.parse import quote

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from athena.contract.elements import Element
from athena.errors import AthenaError, NotFound
from athena.portal.place import Place
from athena.portal.recipes import recipe, recipe_notebook
from athena.sdk.connect import connect
from athena.storages.keys import safe_name

PATH = "athena/open"
FOLDER = "Athena"
MOST = 100
"""Notebooks of one name that differ; then it is time to tidy up."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What Jupyter asks of an extension."""
    return [{"module": "athena.portal.lab"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """What Jupyter calls when the server starts."""
    app.web_app.add_handlers(".*$", [(url_path_join(app.web_app.settings["base_url"], PATH), OpenHandler)])


class OpenHandler(JupyterHandler):
    """``GET athena/open``: on to the notebook of a place."""

    @authenticated  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Write the notebook if it is not there, and go to it."""
        try:
            title, notebook = await asyncio.to_thread(read_notebook, self.request.query)
            path = await self._keep(title, notebook)
        except AthenaError as error:
            self.log.info("no notebook of %s: %s", self.request.query, error)
            raise HTTPError(error.status, str(error).replace("%", "%%"), reason="Not opened") from error
        self.redirect(url_path_join(self.base_url, "lab/tree", quote(path)))

    async def _keep(self, title: str, notebook: dict[str, Any]) -> str:
        """Path of the notebook, as it was or as it is written now."""
        contents: Any = self.contents_manager  # typed in part
        if not await ensure_async(contents.dir_exists(FOLDER)):
            await ensure_async(contents.save({"type": "directory"}, FOLDER))
        for number in range(MOST):
            path = f"{FOLDER}/{safe_name(title)}{f' ({number + 1})' if number else ''}.ipynb"
            if not await ensure_async(contents.file_exists(path)):
                await ensure_async(contents.save({"type": "notebook", "format": "json", "content": notebook}, path))
                return path
            there = await ensure_async(contents.get(path, type="notebook"))
            if _sources(there["content"]) == _sources(notebook):
                return path
        raise NotFound(
            f"The folder {FOLDER} has {MOST} notebooks called “{title}”.", hint="Delete some, then open it again."
        )


def read_notebook(query: str) -> tuple[str, dict[str, Any]]:
    """Title and notebook of a place by the query of its address, as the owner of this server sees it. NotFound."""
    place = Place.parse(query)
    with connect(start=False) as athena:
        element = athena.client.get(f"/api/elements/{place.element}", Element) if place.element is not None else None
    lines = recipe(place, element)
    if not lines:
        raise NotFound("This page has nothing to open as a notebook.")
    title = element.name if element is not None else (place.page.capitalize() or "Workspace")
    title += f" {place.index + 1}" if place.index is not None else ""
    return title, json.loads(recipe_notebook(lines))


def _sources(notebook: Any) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if "".join(cell["source"]).strip()]
