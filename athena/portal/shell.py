"""The frame around every page: tool bar, breadcrumb, live mark, and a place for the page."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import panel as pn
import panel_material_ui as pmui
from panel.util import edit_readonly

from athena.contract.jobs import Job
from athena.contract.people import User
from athena.errors import AthenaError, NotFound
from athena.portal.components.breadcrumb import Breadcrumb
from athena.portal.components.browser import Browser
from athena.portal.components.element_list import ElementList
from athena.portal.components.error_panel import ErrorPanel
from athena.portal.components.explorer import Explorer
from athena.portal.components.job_bell import JobBell
from athena.portal.components.keys_help import KeysHelp
from athena.portal.components.live_mark import LiveMark
from athena.portal.components.recipe_button import RecipeButton
from athena.portal.components.tool_bar import ToolBar
from athena.portal.components.upload_tray import UploadTray
from athena.portal.job_groups import badge_of, lately_items
from athena.portal.keys import key_groups, scope_of
from athena.portal.place import Place
from athena.portal.recipes import recipe, recipe_notebook
from athena.portal.theme import THEME_COOKIE, Scheme, material_theme, page_css
from athena.portal.tools import tools_of

RAIL_PX = 56
BAR_PX = 48

_BARE = {"& .MuiDrawer-paper": {"padding": 0, "border": 0, "overflow": "visible"}}
_HEADER = {
    ".header": {
        "backgroundColor": "var(--athena-surface)",
        "color": "var(--athena-text)",
        "boxShadow": "none",
        "borderBottom": "1px solid var(--athena-line)",
    },
    "& .MuiToolbar-root": {"minHeight": f"{BAR_PX}px !important", "padding": "0 16px 0 0", "margin": 0},
    # Panel keeps room for the bar by headings that say nothing
    "& .MuiToolbar-root > .MuiTypography-h5": {"visibility": "hidden"},
    # Panel's own progress bar has no name and always says 100 %: what is under way is said where it is asked for
    "& .MuiLinearProgress-root": {"display": "none"},
    "& .main": {"backgroundColor": "var(--athena-background)"},
    **_BARE,
}


class Shell:
    """The frame of one browser tab. Lives on the session's loop.

    ``lab`` : address in the visitor's JupyterLab that opens a place as a notebook; empty: there is none.
    """

    def __init__(self, *, search: str, scheme: Scheme, user: str, log_out: str, lab: str = "") -> None:
        self._lab = lab
        self.browser = Browser(search=search, theme=scheme, cookie=THEME_COOKIE, width=0, height=0)
        self.crumbs = Breadcrumb(sizing_mode="stretch_width", height=BAR_PX)
        self.live = LiveMark(height=BAR_PX)
        self.recipe = RecipeButton(height=BAR_PX, margin=0)
        self.job_asked: Callable[[dict[str, Any]], None] = _nobody_asked
        """Does what the bell's panel asks for."""
        self.bell = JobBell(lambda asked: self.job_asked(asked), height=BAR_PX, margin=0)
        self._keys = KeysHelp(groups=key_groups(), width=0, height=0, margin=0)
        self._bar = ToolBar(
            theme=scheme,
            user=user,
            log_out=log_out,
            tools=tools_of(None),
            width=RAIL_PX,
            sizing_mode="stretch_height",
        )
        self._bar.param.watch(self._scheme_chosen, "theme")
        skeleton = ElementList(lambda _: None, waiting=True, sizing_mode="stretch_width", margin=24)
        self._stage = pn.Column(
            skeleton, sizing_mode="stretch_both", margin=0, styles={"min-height": "0", "min-width": "0"}
        )
        named = dict(parse_qsl(search.removeprefix("?"))).get("p")
        self.explorer = Explorer(lambda _: None, visible=not named, sizing_mode="stretch_height", margin=0)
        content = pn.Row(self.explorer, self._stage, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self.page = pmui.Page(
            title="",
            header=[pn.Row(self.crumbs, self.recipe, self.live, self.bell, sizing_mode="stretch_width", margin=0)],
            sidebar=[self._bar],
            main=[content, self.browser, self._keys, UploadTray(width=0, height=0, margin=0)],
            sidebar_variant="permanent",
            sidebar_width=RAIL_PX,
            sidebar_resizable=False,
            theme_toggle=False,
            busy_indicator=None,
            theme="dark" if scheme == "dark" else "default",
            theme_config=material_theme(),
            sx=_HEADER,
            css_files=["widgets/inter.css"],
            raw_css=[page_css()],
            meta_title="Athena",
            meta_name="Athena",
        )
        # the page follows a mark of the whole process: every event of every visitor would change every visitor's page
        with edit_readonly(self.page):
            self.page.busy = False

    def greet(self, user: User) -> None:
        """Say who is logged in, and offer what this person may use."""
        self._bar.param.update(user=user.display_name or user.username, tools=tools_of(user))

    def count_jobs(self, jobs: Sequence[Job]) -> None:
        """Say at the bell how many jobs run, wait and failed, and which lately (JB-01)."""
        self.bell.param.update(badge=badge_of(jobs), groups=lately_items(jobs, now=datetime.now(UTC)), problem="")

    def job_refused(self, error: AthenaError) -> None:
        """Say in the bell's panel why the last thing asked was not done."""
        self.bell.problem = error.message

    def waiting(self, place: Place) -> None:
        """Someone goes to a place; what is shown stays until the new is there."""
        self._bar.here = place.page if place.element is None else None

    def show(self, root: pn.viewable.Viewable, *, under: pn.viewable.Viewable | None = None) -> None:
        """Put a page into the frame; ``under`` stays there too, hidden."""
        if under is not None:
            under.visible = False
        root.visible = True
        self._stage[:] = [root] if under is None else [under, root]

    def told(self, loaded: Any) -> None:
        """Say in the frame where one is."""
        self.crumbs.crumbs = loaded.crumbs
        self._keys.here = scope_of(loaded.place, loaded.element)
        lines = recipe(loaded.place, loaded.element)
        self.recipe.param.update(
            code=lines,
            notebook=recipe_notebook(lines) if lines else "",
            lab=f"{self._lab}{loaded.place.search}" if lines and self._lab else "",
            name_of_file=loaded.title or "Athena",
        )
        self.browser.title = f"{loaded.title} · Athena" if loaded.title else "Athena"

    def show_error(self, error: AthenaError) -> None:
        """Show what went wrong in place of a page."""
        title = "Nothing here" if isinstance(error, NotFound) else "This did not work"
        self.crumbs.crumbs = []
        self.recipe.code = ""
        self.show(ErrorPanel(title=title, message=error.message, hint=error.hint, sizing_mode="stretch_width"))

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        self.page.dark_theme = scheme == "dark"

    def _scheme_chosen(self, change: Any) -> None:
        self.browser.theme = change.new


def _nobody_asked(_asked: dict[str, Any]) -> None:
    """What is asked before the session is there is not done."""
