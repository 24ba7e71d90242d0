"""What the portal asks of Athena for those who run the platform: health, plugins, licence, users."""

from uuid import UUID

from athena.contract.health import InstanceHealth, Plugin
from athena.contract.jobs import Job, JobCount, JobCreate, JobKind
from athena.contract.licences import LicenceInstall, LicenceStatus
from athena.contract.people import (
    Account,
    AccountAdded,
    AccountPage,
    DirectoryEntry,
    PasswordReset,
    PlatformRole,
    UserCreate,
    UserUpdate,
)
from athena.sdk.client import Client


class Administration:
    """Questions that need platform roles: without them Forbidden is raised."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def health(self) -> InstanceHealth:
        """Every part of the instance, and its queues."""
        return self._client.get("/api/services", InstanceHealth)

    def plugins(self) -> list[Plugin]:
        """What installed packages add; open to everybody."""
        return self._client.get("/api/plugins", list[Plugin])

    def reindex(self) -> Job:
        """Start to make the search index anew."""
        return self._client.post("/api/jobs", JobCreate(kind=JobKind.REINDEX.value), Job)

    def stop_live_exports(self) -> int:
        """Cancel every live export; how many there were."""
        return self._client.post(f"/api/jobs/kinds/{JobKind.LIVE_EXPORT.value}/cancel", None, JobCount).count

    def licence(self) -> LicenceStatus:
        """How the platform stands."""
        return self._client.get("/api/licence", LicenceStatus)

    def install_licence(self, new: LicenceInstall) -> LicenceStatus:
        """Install a licence key; Invalid with the reason if it is refused."""
        return self._client.post("/api/licence", new, LicenceStatus)

    def accounts(self, text: str = "", *, limit: int) -> AccountPage:
        """Accounts with this text in a name or e-mail address, and how many there are."""
        return self._client.get("/api/users", AccountPage, params={"search": text, "limit": limit})

    def find_people(self, text: str) -> list[DirectoryEntry]:
        """People of the site's directory whose e-mail or name begins so."""
        return self._client.get("/api/directory", list[DirectoryEntry], params={"text": text})

    def add_user(self, new: UserCreate) -> AccountAdded:
        """Add a person."""
        return self._client.post("/api/users", new, AccountAdded)

    def change_user(self, user_id: UUID, change: UserUpdate) -> Account:
        """Change e-mail, names, or whether a person may log in."""
        return self._client.patch(f"/api/users/{user_id}", change, Account)

    def remove_user(self, user_id: UUID, *, heir: str = "") -> None:
        """Remove a person; what nobody else owns goes to the heir."""
        self._client.delete(f"/api/users/{user_id}", params={"heir": heir or None})

    def reset_password(self, user_id: UUID, reset: PasswordReset) -> None:
        """Give a person a new password."""
        self._client.put(f"/api/users/{user_id}/password", reset, None)

    def set_role(self, user_id: UUID, role: PlatformRole, *, held: bool) -> None:
        """Give or take a platform role."""
        place = f"/api/users/{user_id}/roles/{role.value}"
        if held:
            self._client.put(place, None, Account)
        else:
            self._client.delete(place, Account)

    def set_seat(self, user_id: UUID, *, held: bool) -> None:
        """Give or take a licence seat."""
        place = f"/api/users/{user_id}/licence"
        if held:
            self._client.put(place, None, None)
        else:
            self._client.delete(place)
