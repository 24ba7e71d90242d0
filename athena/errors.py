"""The exceptions of Athena: one tree.

::

    AthenaError          code, status, message, hint
    ├── NotFound         404  it is not there, or you may not know that it is
    ├── Unauthorized     401  no token, or one that is not valid
    ├── Forbidden        403  you see it, but may not do this
    │   └── LoginRefused 403  it is you, but you may not come in: no licence, or switched off
    ├── Conflict         409  the state of things does not allow it now
    │   └── Busy         423  another request is doing the same at this moment
    ├── Invalid          422  the request or the file is not acceptable
    │   ├── BadFile      422  a foreign file cannot be read: names the file, the reason and what to do
    │   ├── ChecksumMismatch 460  what arrived is not what was sent (a status of the tus protocol)
    │   └── TooLarge     413  there is no room for it, or it is more than this instance takes
    ├── TooManyAttempts  429  wrong passwords too often: wait
    └── Unavailable      503  something Athena needs is not there at the moment

Only ``athena.server.problems`` knows how these travel over HTTP; the SDK raises the same classes again.
"""

from typing import ClassVar


class AthenaError(Exception):
    """Root of the tree.

    Parameters
    ----------
    message : what happened, naming the thing and the reason.
    hint : what the reader can do about it; may be empty.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[AthenaError], message: str, hint: str) -> AthenaError:
    return kind(message, hint=hint)


class NotFound(AthenaError):
    """It does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404


class Unauthorized(AthenaError):
    """No credential, or one that is not valid."""

    code = "unauthorized"
    status = 401


class Forbidden(AthenaError):
    """The caller may see the thing but not do this with it."""

    code = "forbidden"
    status = 403


class LoginRefused(Forbidden):
    """The person is known and proven, but may not log in: without a licence, or switched off."""

    code = "login_refused"


class Conflict(AthenaError):
    """The present state does not allow the request."""

    code = "conflict"
    status = 409


class Invalid(AthenaError):
    """The request, or a value in it, is not acceptable."""

    code = "invalid"
    status = 422


class BadFile(Invalid):
    """A foreign file cannot be used; the message names the file and the reason."""

    code = "bad_file"


class Busy(Conflict):
    """Another request is doing the same at this moment."""

    code = "busy"
    status = 423


class ChecksumMismatch(Invalid):
    """What arrived is not what was sent; it was thrown away."""

    code = "checksum_mismatch"
    status = 460


class TooLarge(Invalid):
    """What was sent, or is about to be, is more than the instance takes or has room for."""

    code = "too_large"
    status = 413


class TooManyAttempts(AthenaError):
    """Log-in was tried too often with wrong passwords; ``retry_after_s``: how long to wait, 0 if that is not known."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unavailable(AthenaError):
    """A part Athena needs does not answer; trying again later may help."""

    code = "unavailable"
    status = 503


def by_code(code: str) -> type[AthenaError]:
    """Class for a wire code; AthenaError itself for a code this version does not know.

    Classes that keep their parent's code, as a package may have for its own use, are not told apart on the wire.
    """
    stack: list[type[AthenaError]] = [AthenaError]
    while stack:
        kind = stack.pop()
        if vars(kind).get("code") == code:
            return kind
        stack.extend(kind.__subclasses__())
    return AthenaError
