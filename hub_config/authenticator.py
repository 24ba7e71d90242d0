"""Log-in at the hub with the names and passwords of Athena's own users."""

import json
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode

from athena.contract.people import PasswordCheck, PlatformRole, User


class AthenaAuthenticator(Authenticator):  # type: ignore[misc]  # JupyterHub has no types
    """Asks Athena's API whether a password is right; nobody who is not a user of Athena gets in."""

    api_url = Unicode(help="Address of Athena's API, without /api.").tag(config=True)
    service_token = Unicode(help="Token of the hub's service that may ask.").tag(config=True)

    def normalize_username(self, username: str) -> str:
        """Keep names as Athena has them; the hub would write them in small letters."""
        return username

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> dict[str, Any] | None:
        """Hub's record of a user whose password is right, else None."""
        check = PasswordCheck(username=data["username"], password=data["password"])
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                f"{self.api_url}/api/auth/password",
                method="POST",
                headers={"Authorization": f"token {self.service_token}", "Content-Type": "application/json"},
                body=check.model_dump_json(),
            ),
            raise_error=False,
        )
        if answer.code == 403 or answer.code >= 500:
            self.log.error("Athena's API cannot check passwords: %s %s", answer.code, answer.reason)
            raise HTTPError(503, "Athena does not answer at the moment; try again in a little while.")
        if answer.code != 200:
            return None
        user = User.model_validate(json.loads(answer.body))
        return {"name": user.username, "admin": PlatformRole.ADMIN in user.roles}
