"""Sharing, moving and the history of an element: what ``Element`` offers besides its own content."""

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from athena.contract import elements as wire
from athena.contract import sharing
from athena.contract.audit import AuditPage
from athena.contract.people import Role
from athena.contract.sharing import GranteeKind
from athena.errors import Invalid
from athena.sdk import html
from athena.sdk.client import Client, checked
from athena.sdk.groups import Group

if TYPE_CHECKING:
    import pandas

    from athena.sdk.elements import Element

AUDIT_PAGE = 1000
_WORDS = {Role.OWNER: "Owner", Role.COLLABORATOR: "Collaborator", Role.VIEWER: "Viewer"}


class Permissions:
    """Who may do what with an element, as it was when read."""

    def __init__(self, model: sharing.Permissions) -> None:
        self.model = model

    @property
    def public(self) -> Role | None:
        """What Everybody may do; None: it is private."""
        return self.model.public

    @property
    def inherits(self) -> bool:
        """Whether these are the permissions of an element above."""
        return self.model.inherits

    @property
    def users(self) -> dict[str, Role]:
        """Roles by user name."""
        return self._of(GranteeKind.USER)

    @property
    def groups(self) -> dict[str, Role]:
        """Roles by name of the group."""
        return self._of(GranteeKind.GROUP)

    def _of(self, kind: GranteeKind) -> dict[str, Role]:
        return {grant.grantee.name: grant.role for grant in self.model.grants if grant.grantee.kind is kind}

    def __repr__(self) -> str:
        held = [f"{grant.grantee.name}: {grant.role.value}" for grant in self.model.grants]
        if self.public:
            held.append(f"everybody: {self.public.value}")
        return f"<Permissions {', '.join(held)}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(grant.grantee.name),
                html.text(grant.grantee.label or ("group" if grant.grantee.kind is GranteeKind.GROUP else ""), "mute"),
                html.text(_WORDS[grant.role]),
            )
            for grant in self.model.grants
        ]
        if self.public:
            rows.append((html.text("Everybody"), html.text("public", "mute"), html.text(_WORDS[self.public])))
        source = self.model.source
        place = f"inherited from {source.kind.value} “{source.name}”" if self.inherits else "set here"
        state = f"{'public' if self.public else 'private'} · {place}"
        return html.page(html.card("Permissions", state, html.table(("Name", "", "Role"), rows)))


class Shared:
    """The part of an element that says where it stands, who may see it, and what was done to it."""

    _client: Client
    _model: wire.Element

    @property
    def permissions(self) -> Permissions:
        """Who may do what with it. Permissions live on folders and workflows; all below has its workflow's."""
        return Permissions(self._client.get(f"/api/elements/{self._model.id}/permissions", sharing.Permissions))

    def share(self, with_: str | Group = "", *, group: str = "", as_: Role | str = Role.VIEWER) -> Self:
        """Give a user (by user name) or a group a role: viewer, collaborator or owner.

        ``share("bob")``, ``share(group="Microscopists", as_="collaborator")``. An element that had its parent's
        permissions gets its own. Owners only.
        """
        self._grant(with_, group, as_)
        return self

    def unshare(self, with_: str | Group = "", *, group: str = "") -> Self:
        """Take away the role of a user or group; also one's own, if there is another owner."""
        self._grant(with_, group, None)
        return self

    def make_public(self, *, as_: Role | str = Role.VIEWER) -> Self:
        """Let everybody see it, or (collaborator) change it too."""
        change = checked(sharing.PublicChange, role=as_)
        self._client.put(f"/api/elements/{self._model.id}/permissions/public", change, None)
        return self

    def make_private(self) -> Self:
        """Leave it to those it is shared with by name."""
        self._client.put(f"/api/elements/{self._model.id}/permissions/public", sharing.PublicChange(role=None), None)
        return self

    def inherit_again(self) -> Self:
        """Give it the permissions of the folder it lies in again."""
        self._client.post(f"/api/elements/{self._model.id}/permissions/inherit", None, None)
        return self

    def move(self, to: "Element | str | None") -> Self:
        """Move it into another element (an object or a path), or (None) to the root.

        It gets the permissions of its new place, unless it has its own.

        Raises
        ------
        Conflict : somebody else has changed it since it was read, or it would lie in itself.
        """
        parent: UUID | None
        if isinstance(to, str):
            parent = self._client.get("/api/paths", wire.Element, params={"path": to}).id
        else:
            parent = to.id if to is not None else None
        move = wire.ElementMove(parent_id=parent, revision=self._model.revision)
        moved = self._client.put(f"/api/elements/{self._model.id}/parent", move, wire.Element | None)  # type: ignore[arg-type]
        self._model = moved or self._model
        return self

    def place(self, *, before: "Element | None" = None) -> Self:
        """Put it before one of its siblings, or last."""
        place = wire.ElementPlace(before_id=before.id if before is not None else None)
        self._model = self._client.put(f"/api/elements/{self._model.id}/place", place, wire.Element)
        return self

    def audit(self) -> "pandas.DataFrame":
        """Who did what to it and when, newest first; for its owners and administrators."""
        import pandas

        entries: list[dict[str, Any]] = []
        total = 1
        while len(entries) < total:
            params = {"offset": len(entries), "limit": AUDIT_PAGE}
            page = self._client.get(f"/api/elements/{self._model.id}/audit", AuditPage, params=params)
            entries += [entry.model_dump() for entry in page.items]
            total = page.total if page.items else 0
        columns = ["time", "username", "action", "element_name", "detail"]
        return pandas.DataFrame(entries, columns=columns)

    def _grant(self, with_: str | Group, group: str, role: Role | str | None) -> None:
        user = ""
        if isinstance(with_, Group):
            group = with_.name
        else:
            user = with_
        if bool(user) == bool(group):
            raise Invalid("Share with either a user or a group.", hint="share('bob'), or share(group='Microscopists').")
        kind, name = (GranteeKind.GROUP, group) if group else (GranteeKind.USER, user)
        change = checked(sharing.GrantChange, kind=kind, name=name, role=role)
        self._client.put(f"/api/elements/{self._model.id}/permissions/grant", change, None)
