"""The site's directory of people (LDAP): finding those to be added; log-in asks it through ``open_directory``."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.people import DirectoryEntry, Principal, UserCreate, UserSource
from athena.db.people import UserRow
from athena.errors import Conflict, Invalid, NotFound, Unavailable
from athena.services.guard import require_user_manager
from athena.settings import LdapSettings, Settings

if TYPE_CHECKING:
    from athena.services.ldap import Directory

MIN_TEXT = 2


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
    # control characters end strings in some servers: a text of them alone would find everybody
    wanted = "".join(character for character in text if character.isprintable()).strip()
    if len(wanted) < MIN_TEXT:
        raise Invalid(f"Type at least {MIN_TEXT} characters of a name or an e-mail address.")
    found = open_directory(_configured(settings)).search(wanted)
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
    entry = open_directory(_configured(settings)).find(new.username)
    if entry is None:
        raise NotFound(f"The directory does not know “{new.username}”.")
    return new.model_copy(update=entry.model_dump(exclude={"known"}))


def open_directory(settings: LdapSettings) -> "Directory":
    """The directory of these settings; Unavailable where the package that speaks LDAP is not installed."""
    try:
        from athena.services.ldap import Directory  # an optional package stands behind it
    except ImportError as error:
        raise Unavailable(
            "A directory is configured, but the package that speaks LDAP is missing.",
            hint="Install it: pip install 'athena-cryoem[ldap]'.",
        ) from error
    return Directory(settings)


def _configured(settings: Settings) -> LdapSettings:
    if settings.ldap is None:
        raise Conflict("No directory is configured.", hint="Add people by hand, or set [ldap] in athena.toml.")
    return settings.ldap
