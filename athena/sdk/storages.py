"""Storages as objects."""

from collections.abc import Sequence
from typing import overload

from athena.contract.storages import Storage, StorageState
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client
from athena.sdk.progress import size_words

_STATES = {StorageState.STABLE: "stable", StorageState.DOWN: "down", StorageState.UNKNOWN: "not looked at yet"}


class Storages(Sequence[Storage]):
    """The connected storages; indexed by position or by name."""

    def __init__(self, client: Client) -> None:
        self._storages = client.get("/api/storages", tuple[Storage, ...])

    @overload
    def __getitem__(self, key: int | str) -> Storage: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Storage]: ...
    def __getitem__(self, key: int | str | slice) -> Storage | Sequence[Storage]:
        if not isinstance(key, str):
            return self._storages[key]
        for storage in self._storages:
            if storage.name == key:
                return storage
        names = ", ".join(storage.name for storage in self._storages)
        raise NotFound(f"There is no storage {key!r}.", hint=f"There are: {names}.")

    def __len__(self) -> int:
        return len(self._storages)

    def __repr__(self) -> str:
        return f"<Storages {', '.join(storage.name for storage in self._storages)}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(storage.name),
                html.text(f"{storage.role.value}{', chosen' if storage.chosen else ''}", "mute"),
                html.text(_STATES[storage.use.state], "bad" if storage.use.state is StorageState.DOWN else ""),
                html.text(size_words(storage.use.used_bytes)),
                html.text("" if storage.use.free_bytes is None else size_words(storage.use.free_bytes)),
            )
            for storage in self._storages
        ]
        return html.page(html.table(("Name", "Role", "State", "Used by Athena", "Free"), rows))
