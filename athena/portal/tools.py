"""What the tool bar leads to: one line a page. Only what is built is named."""

from dataclasses import dataclass, field

from athena.contract.people import PlatformRole, User
from athena.domain.roles import PlatformAction, roles_allowing_on_platform
from athena.portal.place import Place


@dataclass(frozen=True)
class Tool:
    """A page that is always one click away.

    Parameters
    ----------
    page : name of the page, as in :class:`Place`; empty: the workspace.
    icon : name in ``dom.js``.
    low : whether it stands in the lower half of the bar.
    roles : who sees it (AD-05); empty: everybody.
    """

    page: str
    label: str
    icon: str
    low: bool = field(default=False, kw_only=True)
    roles: frozenset[PlatformRole] = field(default=frozenset(), kw_only=True)

    @property
    def item(self) -> dict[str, object]:
        """As the component takes it."""
        search = Place(page=self.page).search
        return {"page": self.page, "label": self.label, "icon": self.icon, "low": self.low, "search": search}


def _who(action: PlatformAction) -> frozenset[PlatformRole]:
    return frozenset(roles_allowing_on_platform(action))


TOOLS: tuple[Tool, ...] = (
    Tool("dashboard", "Dashboard", "dashboard"),
    Tool("", "Workspace", "workspace"),
    Tool("search", "Search", "search"),
    Tool("samples", "Samples", "sample"),
    Tool("jobs", "Jobs", "jobs", low=True),
    Tool("storage", "Storage", "storage", low=True),
    Tool("guide", "User guide", "guide", low=True),
    Tool("settings", "Settings", "settings", low=True, roles=_who(PlatformAction.OPEN_EVERY_ELEMENT)),
    Tool("licence", "Licence", "licence", low=True, roles=_who(PlatformAction.MANAGE_LICENCES)),
    Tool("users", "Users", "users", low=True, roles=_who(PlatformAction.SEE_USERS)),
)


def tools_of(user: User | None) -> list[dict[str, object]]:
    """The tools a user has; before the user is known, those that everybody has."""
    roles = user.roles if user is not None else frozenset()
    return [tool.item for tool in TOOLS if not tool.roles or tool.roles & roles]
