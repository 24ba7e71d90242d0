"""The storages and their use; administrators connect, choose and change them (ST-02, AD-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from athena.contract.events import Event, EventKind
from athena.contract.storages import Storage, StorageCreate, StorageUpdate
from athena.domain.roles import PlatformAction, may
from athena.errors import Invalid
from athena.portal.catalogue import Catalogue
from athena.portal.components.storage_board import StorageBoard, storage_item
from athena.portal.pages.plain import PlainPage, PlainView, attempt, frame
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked

GIGABYTE = 10**9
TICKS_A_READING = 6
"""Use changes without an event: every minute it is read again."""


@dataclass(frozen=True)
class Storages(PlainPage):
    """The storages as the visitor may see them."""

    place: Place
    storages: Sequence[Storage]
    manage: bool
    title: str = "Storage"

    def view(self, session: PortalSession) -> View:
        """Show them."""
        return StorageView(self, session)


class StorageView(PlainView):
    """Shows the storages, and keeps them up to date."""

    def __init__(self, loaded: Storages, session: PortalSession) -> None:
        self._session = session
        self._ticks = 0
        self._board = StorageBoard(self._ask, sizing_mode="stretch_width")
        self.root = frame(loaded.title, self._board)
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Storages that come, go or turn."""
        return event.kind in (EventKind.STORAGE_CHANGED, EventKind.ACCESS_CHANGED)

    def tick(self) -> None:
        """Look at their use again."""
        self._ticks += 1
        if self._ticks % TICKS_A_READING == 0:
            self._session.refresh()

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Storages):
            return False
        self._board.param.update(storages=[storage_item(one) for one in data.storages], manage=data.manage)
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        catalogue, values = self._session.catalogue, asked.get("values", {})

        def work() -> object:
            if asked["do"] == "add":
                return catalogue.add_storage(wanted_storage(values))
            storage = UUID(asked["id"])
            match asked["do"]:
                case "check":
                    return catalogue.check_storage(storage)
                case "choose":
                    return catalogue.change_storage(storage, StorageUpdate(chosen=True))
                case "remove":
                    catalogue.remove_storage(storage)
                    return None
                case _:
                    return catalogue.change_storage(storage, wanted_change(values))

        attempt(self._session, self._board, work)


def wanted_storage(values: dict[str, Any]) -> StorageCreate:
    """What the form to connect a storage says. Raises Invalid."""
    said = {name: values[name] for name in ("name", "role", "url", "chosen")}
    quota = _bytes(values["quota"])
    return checked(StorageCreate, **said, options=_options(values["options"]), quota_bytes=quota or None)


def wanted_change(values: dict[str, Any]) -> StorageUpdate:
    """What the form to change a storage says. Raises Invalid."""
    return checked(
        StorageUpdate,
        name=values["name"],
        options=_options(values["options"]),
        quota_bytes=_bytes(values["quota"]),
    )


def _bytes(gigabytes: str) -> int:
    """A size in bytes; 0 where none is said."""
    try:
        return round(float(gigabytes or 0) * GIGABYTE)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{gigabytes}” is no size in GB.", hint="Write it as 500 or 1.5.") from error


def _options(text: str) -> dict[str, str]:
    """Lines ``name = value``."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = line.partition("=")
        if not sign:
            raise Invalid(f"“{line}” is no option.", hint="Write each as name = value, one a line.")
        found[name.strip()] = value.strip()
    return found


def read_storages(catalogue: Catalogue, place: Place) -> Storages:
    """Read the storages."""
    return Storages(place, catalogue.storages(), manage=may(PlatformAction.OPEN_EVERY_ELEMENT, catalogue.me().roles))
