"""Licence of the platform: ``athena.licence``."""

from uuid import UUID

from athena.contract import licences as wire
from athena.contract.licences import LicenceStatus
from athena.sdk import html
from athena.sdk.client import Client, checked


class Licence:
    """What the platform is licensed for. Every look asks anew, so nothing has to be refreshed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def status(self) -> LicenceStatus:
        """Features, seats, expiry, installed keys as they were pasted."""
        return self._client.get("/api/licence", LicenceStatus)

    @property
    def platform_id(self) -> UUID:
        """Id of this platform, which keys are issued for."""
        return self.status.platform_id

    @property
    def features(self) -> tuple[str, ...] | None:
        """Names of the features in force; None where no licence is needed. Open to everybody."""
        return self._client.get("/api/licence/features", tuple[str, ...] | None)  # type: ignore[arg-type]

    def install(self, key: str) -> LicenceStatus:
        """Install a key; Invalid with the reason if it is refused."""
        return self._client.post("/api/licence", checked(wire.LicenceInstall, key=key), LicenceStatus)

    def __repr__(self) -> str:
        return f"<Licence of platform {self.platform_id}>"

    def _repr_html_(self) -> str:
        status = self.status
        rows = [
            (
                html.text(one.feature),
                html.text("no limit" if one.seats is None else one.seats),
                html.text("" if one.used is None else one.used),
                html.text(f"{one.expires:%Y-%m-%d}" if one.expires else "never"),
                html.text("valid" if one.valid else "expired", "ok" if one.valid else "bad"),
                html.text(one.message, "warn"),
            )
            for one in status.features
        ]
        table = html.table(("Feature", "Seats", "Used", "Expires", "State", "Message"), rows) if rows else ""
        return html.page(
            html.card("Licence", f"platform {status.platform_id}", html.text(status.message, "mute"), table)
        )
