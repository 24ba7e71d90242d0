"""The site's directory of people (LDAP): finding them to be added, and checking their passwords by a bind."""

import logging
import secrets
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.people import DirectoryEntry, Principal, UserCreate, UserSource
from athena.db.people import UserRow
from athena.errors import Conflict, Invalid, NotFound, Unavailable
from athena.services.guard import require_user_manager
from athena.settings import LdapSettings, Settings

if TYPE_CHECKING:
    from ldap3 import Connection

MIN_TEXT = 2
MAX_FOUND = 20

logger = logging.getLogger(__name__)


def find_people(session: Session, principal: Principal, text: str, *, settings: Settings) -> tuple[DirectoryEntry, ...]:
    """People of the directory whose e-mail, name or user name begins with a text, at most 20 (AD-07).

    Raises
    ------
    Forbidden : the caller does not manage users.
    Conflict : no directory is configured.
    Invalid : the text is too short.
    Unavailable : the directory does not answer, or not as it should.
    """
    require_user_manager(principal)
    wanted = text.strip()
    if len(wanted) < MIN_TEXT:
        raise Invalid(f"Type at least {MIN_TEXT} characters of a name or an e-mail address.")
    found = Directory(_configured(settings)).search(wanted)
    names = [entry.username for entry in found]
    known = set(session.scalars(select(UserRow.username).where(UserRow.username.in_(names))))
    return tuple(entry.model_copy(update={"known": entry.username in known}) for entry in found)


def as_the_directory_has_it(principal: Principal, new: UserCreate, *, settings: Settings) -> UserCreate:
    """New user with e-mail and names as the directory has them; one of another source is given back as it is.

    Takes no session, so that no transaction waits for the directory.

    Raises
    ------
    Forbidden : the caller does not manage users.
    NotFound : the directory does not know the person.
    Conflict, Unavailable : as ``find_people``.
    """
    require_user_manager(principal)
    if new.source is not UserSource.LDAP:
        return new
    entry = Directory(_configured(settings)).find(new.username)
    if entry is None:
        raise NotFound(f"The directory does not know “{new.username}”.")
    return new.model_copy(update=entry.model_dump(exclude={"known"}))


class Directory:
    """One LDAP server. Every call opens a connection of its own: people are added and log in rarely.

    Parameters
    ----------
    settings : where it is and how its people are described.
    """

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings

    def search(self, text: str) -> tuple[DirectoryEntry, ...]:
        """People whose e-mail or names begin with a text, by user name."""
        with self._as_athena() as connection:
            found = self._people(connection, self._filter(self._settings.search_filter, text=text), limit=MAX_FOUND)
        return tuple(sorted((entry for _, entry in found), key=lambda entry: entry.username))

    def find(self, username: str) -> DirectoryEntry | None:
        """Person of a user name, None if there is none."""
        with self._as_athena() as connection:
            found = self._one(connection, username)
        return found[1] if found is not None else None

    def check_password(self, username: str, password: str) -> DirectoryEntry | None:
        """Person of this name if the directory takes the password, else None, after as many exchanges."""
        with self._as_athena() as connection:
            found = self._one(connection, username)
        decoy = f"{self._settings.username_attribute}={secrets.token_hex(8)},{self._settings.base_dn}"
        name = found[0] if found is not None else decoy
        # a bind with a name and no password succeeds at most servers, as nobody (RFC 4513, 5.1.2)
        accepted = self._accepts(name, password or secrets.token_hex(8))
        return found[1] if found is not None and password and accepted else None

    def _accepts(self, name: str, password: str) -> bool:
        from ldap3.core.exceptions import LDAPOperationResult

        with self._opened(name, password) as connection:
            try:
                return bool(connection.bind())
            except LDAPOperationResult as answer:  # wrong password, unknown, expired, locked: not in
                logger.debug("the directory refuses %r: %s", name, answer.description)
                return False

    @contextmanager
    def _as_athena(self) -> "Iterator[Connection]":
        from ldap3.core.exceptions import LDAPOperationResult

        with self._opened(self._settings.bind_dn, self._settings.bind_password) as connection:
            try:
                connection.bind()
            except LDAPOperationResult as answer:
                raise Unavailable(
                    f"The directory refuses Athena's own log-in ({answer.description}).",
                    hint="Check bind_dn and bind_password in the table [ldap] of athena.toml.",
                ) from answer
            yield connection

    @contextmanager
    def _opened(self, name: str, password: str) -> "Iterator[Connection]":
        """Open connection, encrypted if so set, not bound yet; whatever fails becomes Unavailable, in words."""
        ldap3 = _ldap3()
        from ldap3.core.exceptions import LDAPException, LDAPStartTLSError

        chosen, seconds = self._settings, self._settings.timeout_seconds
        address = urlsplit(chosen.url)
        encrypted = address.scheme == "ldaps"
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(chosen.ca_file) if chosen.ca_file else None)
        try:
            server = ldap3.Server(
                address.hostname,
                port=address.port or (636 if encrypted else 389),
                use_ssl=encrypted,
                tls=tls,
                get_info=ldap3.NONE,
                connect_timeout=seconds,
            )
            connection = ldap3.Connection(
                server,
                user=name or None,
                password=password or None,
                authentication=ldap3.SIMPLE if name else ldap3.ANONYMOUS,
                read_only=True,
                raise_exceptions=True,
                auto_referrals=False,
                check_names=False,
                receive_timeout=seconds,
            )
            try:
                connection.open()
                if chosen.start_tls:
                    connection.start_tls()
                yield connection
            finally:
                connection.unbind()
        except LDAPStartTLSError as error:
            raise Unavailable(
                f"The directory at {chosen.url} cannot be spoken to encrypted: {error}.",
                hint="Its certificate may not be trusted here: set ca_file in the table [ldap].",
            ) from error
        except LDAPException as error:
            raise Unavailable(
                f"The directory at {chosen.url} does not answer as it should: {error}.",
                hint="Check the table [ldap] of athena.toml, or try again in a little while.",
            ) from error

    def _one(self, connection: "Connection", username: str) -> tuple[str, DirectoryEntry] | None:
        found = self._people(connection, self._filter(self._settings.user_filter, username=username), limit=2)
        if len(found) > 1:
            logger.warning("the directory has several people of one user name, so none counts: user_filter is too wide")
            return None
        return found[0] if found else None

    def _people(self, connection: "Connection", filter_: str, *, limit: int) -> list[tuple[str, DirectoryEntry]]:
        from ldap3.core.exceptions import LDAPSizeLimitExceededResult

        names = self._settings
        attributes = {
            "username": names.username_attribute,
            "email": names.email_attribute,
            "first_name": names.first_name_attribute,
            "last_name": names.last_name_attribute,
        }
        try:
            connection.search(names.base_dn, filter_, attributes=list(attributes.values()), size_limit=limit)
        except LDAPSizeLimitExceededResult:
            logger.debug("the directory has more than %d people for a search", limit)
        found = []
        for answer in connection.response or ():
            if answer.get("type") != "searchResEntry":  # a referral to another server
                continue
            values = {field: _first(answer["attributes"], name) for field, name in attributes.items()}
            if values["username"]:
                found.append((str(answer["dn"]), DirectoryEntry(**values)))
        return found

    def _filter(self, template: str, *, text: str = "", username: str = "") -> str:
        from ldap3.utils.conv import escape_filter_chars

        # NUL ends strings in some servers; half characters have no UTF-8
        safe = [part.encode(errors="replace").decode().replace("\0", "") for part in (text, username)]
        return template.format(
            text=escape_filter_chars(safe[0]),
            username=escape_filter_chars(safe[1]),
            username_attribute=self._settings.username_attribute,
        )


def _configured(settings: Settings) -> LdapSettings:
    if settings.ldap is None:
        raise Conflict("No directory is configured.", hint="Add people by hand, or set [ldap] in athena.toml.")
    return settings.ldap


def _first(attributes: Any, name: str) -> str:
    """First value of an attribute, whose name a server may spell in other cases."""
    for key, values in attributes.items():
        if key.lower() == name.lower():
            value = values[0] if isinstance(values, list) and values else values
            return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
    return ""


def _ldap3() -> Any:
    try:
        with warnings.catch_warnings():
            # ldap3 2.9 imports names that pyasn1 has renamed, and says so each time
            warnings.simplefilter("ignore", DeprecationWarning)
            import ldap3
    except ImportError as error:
        raise Unavailable(
            "A directory is configured, but the package that speaks LDAP is missing.",
            hint="Install it: pip install 'athena-cryoem[ldap]'.",
        ) from error
    return ldap3
