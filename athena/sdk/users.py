"""People of the platform: ``athena.users``."""

import getpass
import warnings
from collections.abc import Iterator
from urllib.parse import urlencode

from athena.contract import people as wire
from athena.contract.people import DirectoryEntry, PlatformRole, UserSource
from athena.errors import Invalid, NotFound
from athena.sdk import html
from athena.sdk.client import Client, checked

PAGE = 1000


class Person:
    """An account. Its values are those of when it was fetched; every change fetches it anew."""

    def __init__(self, client: Client, model: wire.Account) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.Account:
        """All that is known of the account."""
        return self._model

    @property
    def username(self) -> str:
        """Log-in name."""
        return self._model.username

    @property
    def roles(self) -> frozenset[PlatformRole]:
        """Platform roles."""
        return self._model.roles

    @property
    def licensed(self) -> bool:
        """Whether the person holds a licence seat."""
        return self._model.licensed

    def edit(
        self,
        *,
        email: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        active: bool | None = None,
    ) -> None:
        """Change e-mail, names, or whether the person may log in; what is left out stays."""
        given = {"email": email, "first_name": first_name, "last_name": last_name, "active": active}
        change = checked(wire.UserUpdate, **{name: value for name, value in given.items() if value is not None})
        self._model = self._client.patch(self._place, change, wire.Account)

    def assign(self, role: PlatformRole | str) -> None:
        """Give a platform role: admin, license-manager, user-manager, customer-role-manager, customer-admin."""
        self._model = self._client.put(f"{self._place}/roles/{_role(role)}", None, wire.Account)

    def unassign(self, role: PlatformRole | str) -> None:
        """Take a platform role."""
        self._client.delete(f"{self._place}/roles/{_role(role)}")
        self.refresh()

    def give_licence(self) -> None:
        """Give a licence seat; Conflict if none is free."""
        self._client.put(f"{self._place}/licence", None, None)
        self.refresh()

    def take_licence(self) -> None:
        """Take the licence seat: the person cannot log in any more where a licence is needed."""
        self._client.delete(f"{self._place}/licence")
        self.refresh()

    def set_password(self, password: str | None = None) -> None:
        """Give a new password; without one it is asked for. The person's tokens become void."""
        reset = checked(wire.PasswordReset, password=password or ask_password(f"New password of {self.username}"))
        self._client.put(f"{self._place}/password", reset, None)

    def remove(self, *, heir: str = "") -> None:
        """Remove the person; what nobody else owns goes to ``heir``, a user name; Conflict where one is missing."""
        self._client.delete(f"{self._place}?{urlencode({'heir': heir})}" if heir else self._place)

    def refresh(self) -> None:
        """Fetch the account anew."""
        self._model = self._client.get(self._place, wire.Account)

    @property
    def _place(self) -> str:
        return f"/api/users/{self._model.id}"

    def __repr__(self) -> str:
        return f"<Person {self.username}>"

    def _repr_html_(self) -> str:
        return html.page(_table([self._model]))


class Users:
    """Everybody who may log in; ``athena.users["alice"]`` is one of them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(
        self,
        username: str,
        *,
        password: str | None = None,
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        source: UserSource | str = UserSource.LOCAL,
    ) -> Person:
        """Add a person. A local user's password is asked for unless it is given; warns if no licence is free.

        With ``source="ldap"`` the site's directory knows names, e-mail and password; with ``"hub"`` whoever logs people
        in at the hub.
        """
        if password is None and source == UserSource.LOCAL:
            password = ask_password(f"Password of {username}")
        new = checked(
            wire.UserCreate,
            username=username,
            password=password,
            email=email,
            first_name=first_name,
            last_name=last_name,
            source=source,
        )
        added = self._client.post("/api/users", new, wire.AccountAdded)
        if added.notice:
            warnings.warn(added.notice, stacklevel=2)
        return Person(self._client, added.account)

    def find(self, text: str) -> list[Person]:
        """People with this text in a name or e-mail address."""
        return [Person(self._client, model) for model in self._all(text)]

    def find_in_directory(self, text: str) -> tuple[DirectoryEntry, ...]:
        """People of the site's directory (LDAP) whose e-mail or name begins like this."""
        return self._client.get("/api/directory", tuple[DirectoryEntry, ...], params={"text": text})

    def change_my_password(self, current: str | None = None, new: str | None = None) -> None:
        """Change your own password; what is not given is asked for."""
        current = getpass.getpass("Current password: ") if current is None else current
        change = checked(wire.PasswordChange, current=current, password=new or ask_password("New password"))
        self._client.put("/api/me/password", change, None)

    @property
    def summary(self) -> wire.AccountPage:
        """How many users, active users and free licence seats there are (and the first account)."""
        return self._client.get("/api/users", wire.AccountPage, params={"limit": 1})

    def __getitem__(self, username: str) -> Person:
        for model in self._all(username):
            if model.username == username:
                return Person(self._client, model)
        raise NotFound(f"There is no user {username!r}.")

    def __iter__(self) -> Iterator[Person]:
        return iter(self.find(""))

    def __len__(self) -> int:
        return self.summary.users

    def _ipython_key_completions_(self) -> list[str]:
        return [model.username for model in self._all("")]

    def _all(self, text: str) -> list[wire.Account]:
        found: list[wire.Account] = []
        while True:
            params: dict[str, str | int] = {"search": text, "offset": len(found), "limit": PAGE}
            page = self._client.get("/api/users", wire.AccountPage, params=params)
            found += page.items
            if not page.items or len(found) >= page.total:
                return found

    def __repr__(self) -> str:
        return f"<Users: {', '.join(model.username for model in self._all(''))}>"

    def _repr_html_(self) -> str:
        counts = self.summary
        free = "" if counts.free_seats is None else f"{counts.free_seats} licences free"
        head = html.row(f"{counts.users} users", f"{counts.active_users} active", free)
        return html.page(head, _table(self._all("")))


def ask_password(prompt: str) -> str:
    """Password typed twice, unseen; so that none is written into a notebook or a shell's history."""
    password = getpass.getpass(f"{prompt}: ")
    if getpass.getpass("Once more: ") != password:
        raise Invalid("The two passwords differ.")
    return password


def _role(role: PlatformRole | str) -> str:
    try:
        return PlatformRole(role).value
    except ValueError:
        raise Invalid(f"There is no role {role!r}.", hint=f"There are: {', '.join(PlatformRole)}.") from None


def _table(accounts: list[wire.Account]) -> str:
    rows = [
        (
            html.text(one.username),
            html.text(one.display_name),
            html.text(one.email, "mute"),
            html.text(", ".join(sorted(one.roles)), "bad" if one.builtin else "ok"),
            html.text("built in" if one.builtin else one.source.value, "mute"),
            html.text("yes" if one.licensed else "no", "" if one.licensed else "mute"),
            html.text("active" if one.active else "off", "" if one.active else "warn"),
            html.text(f"{one.last_seen:%Y-%m-%d %H:%M}" if one.last_seen else "never", "mute"),
        )
        for one in accounts
    ]
    return html.table(("User", "Name", "E-mail", "Roles", "From", "Licence", "Log-in", "Last seen (UTC)"), rows)
