"""Groups of users as objects: shared with as one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from athena.contract import groups as wire
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client, checked


class Group:
    """A group, as it was when last read. User managers fill it."""

    def __init__(self, client: Client, model: wire.Group) -> None:
        self._client = client
        self.model = model

    @property
    def name(self) -> str:
        """Name."""
        return self.model.name

    @property
    def members(self) -> tuple[str, ...]:
        """User names, in order."""
        return self.model.members

    def add(self, *usernames: str) -> Self:
        """Take users in."""
        return self._update(add=usernames)

    def remove(self, *usernames: str) -> Self:
        """Take users out."""
        return self._update(remove=usernames)

    def update(self, *, name: str | None = None, description: str | None = None) -> Self:
        """Rename or describe it; what is left out stays."""
        given = {"name": name, "description": description}
        return self._update(**{key: value for key, value in given.items() if value is not None})

    def delete(self) -> None:
        """Delete the group and the roles it had; its members stay."""
        self._client.delete(f"/api/groups/{self.model.id}")

    def _update(self, **values: object) -> Self:
        change = checked(wire.GroupUpdate, **values)
        self.model = self._client.patch(f"/api/groups/{self.model.id}", change, wire.Group)
        return self

    def __repr__(self) -> str:
        return f"<Group {self.name!r} {len(self.members)} members>"

    def _repr_html_(self) -> str:
        names = ", ".join(self.members) or "nobody"
        return html.page(html.card(self.name, "Group", html.text(self.model.description, "mute"), html.text(names)))


class Groups(Mapping[str, Group]):
    """Groups by name, as they were when read: one's own; for user managers all."""

    def __init__(self, client: Client) -> None:
        self._groups = {model.name: Group(client, model) for model in client.get("/api/groups", list[wire.Group])}

    def __getitem__(self, name: str) -> Group:
        """Group of this name.

        Raises
        ------
        NotFound : there is none, or you are not in it.
        """
        if name not in self._groups:
            raise NotFound(f"There is no group {name!r}.", hint="Or you are not in it; share(group='…') takes any.")
        return self._groups[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._groups)

    def _repr_html_(self) -> str:
        rows = [
            (html.text(group.name), html.text(group.model.description, "mute"), html.text(", ".join(group.members)))
            for group in self.values()
        ]
        return html.page(html.table(("Group", "", "Members"), rows))


def create_group(client: Client, name: str, *, members: Iterable[str] = (), description: str = "") -> Group:
    """Make a group."""
    new = checked(wire.GroupCreate, name=name, members=tuple(members), description=description)
    return Group(client, client.post("/api/groups", new, wire.Group))
