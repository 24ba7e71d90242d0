"""Log-in at the hub with the names and passwords of Athena's own users and of the site's directory."""

import json
from typing import Any
from urllib.parse import urlencode

from jupyterhub.auth import Authenticator
from pydantic import ValidationError
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.web import HTTPError, RequestHandler
from traitlets import Unicode

from athena.contract.base import Problem
from athena.contract.people import PasswordCheck, User
from athena.domain.roles import PlatformAction, may
from athena.errors import LoginRefused, TooManyAttempts

REQUEST_SECONDS = 60.0
"""The directory behind Athena may take its time."""


class AthenaAuthenticator(Authenticator):  # type: ignore[misc]  # JupyterHub has no types
    """Asks Athena's API whether a password is right; nobody who is not a user of Athena gets in."""

    api_url = Unicode(help="Address of Athena's API, without /api.").tag(config=True)
    service_token = Unicode(help="Token of the hub's service that may ask.").tag(config=True)

    def normalize_username(self, username: str) -> str:
        """Keep names as Athena has them; the hub would write them in small letters."""
        return username

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> dict[str, Any] | None:
        """Hub's record of a user whose password is right, else None.

        Raises
        ------
        HTTPError : Athena does not answer (503), password tried too often (429), or right but not let in (403).
        """
        try:
            check = PasswordCheck(
                username=data["username"], password=data["password"], peer=str(handler.request.remote_ip or "")[:64]
            )
        except ValidationError:  # longer than any name or password
            return None
        answer = await self._ask("POST", "/auth/password", body=check.model_dump_json())
        if answer.code == 200:
            return _record(answer)
        problem = _problem(answer)
        if problem is not None and problem.code in {LoginRefused.code, TooManyAttempts.code}:
            raise HTTPError(answer.code, f"{problem.message} {problem.hint}".strip(), reason="Not logged in")
        if answer.code == 403 or answer.code >= 500:
            self.log.error("Athena's API cannot check passwords: %s %s", answer.code, problem or answer.reason)
            raise HTTPError(503, "Athena does not answer at the moment; try again in a little while.")
        return None

    async def refresh_user(self, user: Any, handler: RequestHandler | None = None) -> bool | dict[str, Any]:
        """Whether somebody who is logged in still may be: False once the account is gone, off, or without a licence."""
        if handler is not None and not hasattr(handler, "_token_authenticated"):
            # JupyterHub 6.1 reads this after a refusal, but sets it for requests with a token alone
            handler._token_authenticated = False
        answer = await self._ask("GET", f"/auth/admission?{urlencode({'username': user.name})}")
        if answer.code == 200:
            return _record(answer)
        problem = _problem(answer)
        if answer.code == 404 or (problem is not None and problem.code == LoginRefused.code):
            return False
        # an API that is away opens nothing either: nobody has to log in anew because of it
        self.log.warning("Athena's API does not say whether %s may stay: %s", user.name, problem or answer.reason)
        return True

    async def _ask(self, method: str, path: str, *, body: str | None = None) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(
            HTTPRequest(
                f"{self.api_url}/api{path}",
                method=method,
                headers={"Authorization": f"token {self.service_token}", "Content-Type": "application/json"},
                body=body,
                request_timeout=REQUEST_SECONDS,
            ),
            raise_error=False,
        )


def _record(answer: HTTPResponse) -> dict[str, Any]:
    user = User.model_validate(json.loads(answer.body))
    return {"name": user.username, "admin": may(PlatformAction.OPEN_EVERY_ELEMENT, user.roles)}


def _problem(answer: HTTPResponse) -> Problem | None:
    try:
        return Problem.model_validate_json(answer.body or b"")
    except ValidationError:
        return None
