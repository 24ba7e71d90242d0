"""Settings of the platform, for administrators: health and plugins (AD-02, AD-03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.health import InstanceHealth, Plugin
from athena.errors import NotFound
from athena.portal.administration import Administration
from athena.portal.catalogue import Catalogue
from athena.portal.components.health_board import HealthBoard
from athena.portal.components.plugin_table import PluginTable
from athena.portal.components.side_tabs import SideTabs
from athena.portal.components.title_bar import TitleBar
from athena.portal.pages.plain import PAGE_STYLES, PlainView, attempt
from athena.portal.place import Place
from athena.portal.session import PortalSession, View

TABS = {"": "Health", "plugins": "Plugins"}


@dataclass(frozen=True)
class SettingsPage:
    """One of the settings' tabs: the other is not read."""

    place: Place
    health: InstanceHealth | None = None
    plugins: Sequence[Plugin] = ()
    element: None = None

    @property
    def title(self) -> str:
        """Name of the page."""
        return f"{TABS[self.place.tab]} · Settings"

    @property
    def crumbs(self) -> list[dict[str, str]]:
        """No way from Home."""
        return []

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return SettingsView(self, session)


class SettingsView(PlainView):
    """Shows a tab; health is asked for again every few seconds."""

    def __init__(self, loaded: SettingsPage, session: PortalSession) -> None:
        self._session = session
        self._tab = loaded.place.tab
        tabs = [
            {"name": name or "health", "label": label, "search": Place(page="settings", tab=name).search, "chosen": on}
            for name, label in TABS.items()
            for on in [name == self._tab]
        ]
        tabs.append({"name": "storage", "label": "Storage", "search": Place(page="storage").search, "chosen": False})
        self._health = HealthBoard(self._ask, sizing_mode="stretch_width")
        self._plugins = PluginTable(sizing_mode="stretch_width")
        title = TitleBar(lambda _: None, title="Settings", sizing_mode="stretch_width")
        self.root = pn.Column(
            pn.Row(title, sizing_mode="stretch_width", margin=0),
            SideTabs(tabs=tabs, sizing_mode="stretch_width", margin=0),
            self._plugins if self._tab == "plugins" else self._health,
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles=PAGE_STYLES,
        )
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Jobs and storages: both stand in the health tab."""
        return event.kind in (EventKind.JOB_CHANGED, EventKind.STORAGE_CHANGED, EventKind.ACCESS_CHANGED)

    def tick(self) -> None:
        """Services fall silent without an event."""
        if self._tab == "":
            self._session.refresh()

    def update(self, data: Any) -> bool:
        """Show a newer reading of the same tab."""
        if not isinstance(data, SettingsPage) or data.place.tab != self._tab:
            return False
        if data.health is not None:
            self._health.health = data.health.model_dump(mode="json")
        self._plugins.plugins = [one.model_dump(mode="json") for one in data.plugins]
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        catalogue = Administration(self._session.catalogue.client)
        self._health.said = ""
        if asked["do"] == "reindex":
            attempt(self._session, self._health, catalogue.reindex, then=lambda _: self._say("Reindexing has begun."))
        else:
            attempt(self._session, self._health, catalogue.stop_live_exports, then=self._stopped)

    def _stopped(self, count: int) -> None:
        self._say(
            f"{count} live {'export is' if count == 1 else 'exports are'} ending." if count else "None was running."
        )

    def _say(self, words: str) -> None:
        self._health.said = words


def read_settings(catalogue: Catalogue, place: Place) -> SettingsPage:
    """Read a tab of the settings. Raises NotFound, Forbidden."""
    if place.tab not in TABS:
        raise NotFound("The settings have no such tab.", hint="Open them from the bar at the left.")
    # whoever may not see the services has no settings, whichever tab
    administration = Administration(catalogue.client)
    health = administration.health()
    return SettingsPage(place, health=health, plugins=administration.plugins() if place.tab == "plugins" else ())
