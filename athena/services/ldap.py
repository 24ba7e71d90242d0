"""One LDAP server, spoken to through ldap3: an optional package, so this module is imported where it is used."""

import logging
import secrets
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

with warnings.catch_warnings():
    # ldap3 2.9 asks pyasn1 for names that it has renamed, and pyasn1 says so
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import (
        LDAPException,
        LDAPOperationResult,
        LDAPSizeLimitExceededResult,
        LDAPStartTLSError,
    )
    from ldap3.utils.conv import escape_filter_chars

from athena.contract.people import DirectoryEntry
from athena.errors import Unavailable
from athena.settings import LdapSettings

MAX_FOUND = 20

logger = logging.getLogger(__name__)


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
        with self._opened(name, password) as connection:
            try:
                return bool(connection.bind())
            except LDAPOperationResult as answer:  # wrong password, unknown, expired, locked: not in
                logger.debug("the directory refuses %r: %s", name, answer.description)
                return False

    @contextmanager
    def _as_athena(self) -> Iterator[ldap3.Connection]:
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
    def _opened(self, name: str, password: str) -> Iterator[ldap3.Connection]:
        """Open connection, encrypted if so set, not bound yet; whatever fails becomes Unavailable, in words."""
        chosen, seconds = self._settings, self._settings.timeout_seconds
        address = urlsplit(chosen.url)
        encrypted = address.scheme == "ldaps"
        try:
            server = ldap3.Server(
                address.hostname,
                port=address.port or (636 if encrypted else 389),
                use_ssl=encrypted,
                tls=_Tls(str(address.hostname), chosen.ca_file),
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
                receive_timeout=max(1, round(seconds)),  # whole seconds: it goes into a C struct
            )
            try:
                connection.open()
                if chosen.start_tls:
                    connection.start_tls()
                yield connection
            finally:
                with suppress(LDAPException):  # of a connection that is broken already
                    connection.unbind()
                if connection.socket is not None:
                    connection.socket.close()
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

    def _one(self, connection: ldap3.Connection, username: str) -> tuple[str, DirectoryEntry] | None:
        if not username.isprintable():  # control characters end strings in some servers
            return None
        found = self._people(connection, self._filter(self._settings.user_filter, username=username), limit=2)
        if len(found) > 1:
            logger.warning("the directory has several people of one user name, so none counts: user_filter is too wide")
            return None
        return found[0] if found else None

    def _people(self, connection: ldap3.Connection, filter_: str, *, limit: int) -> list[tuple[str, DirectoryEntry]]:
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
        return template.format(
            text=escape_filter_chars(text),
            username=escape_filter_chars(username),
            username_attribute=self._settings.username_attribute,
        )


class _Tls(ldap3.Tls):  # type: ignore[misc]  # ldap3 has no types
    """Encryption as Python does it by default, name of the server included.

    ldap3's own asks for names with a function that Python 3.12 has no more.
    """

    def __init__(self, host: str, ca_file: Path | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = host
        self._ca_file = ca_file

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        """Encrypt an open connection."""
        context = ssl.create_default_context(cafile=self._ca_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=self._host, do_handshake_on_connect=do_handshake
        )


def _first(attributes: Any, name: str) -> str:
    """First value of an attribute, whose name a server may spell in other cases."""
    for key, values in attributes.items():
        if key.lower() == name.lower():
            value = values[0] if isinstance(values, list) and values else values
            return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
    return ""
