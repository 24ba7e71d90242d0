"""Tokens that people make for their scripts: named, scoped, expiring, revocable (BY-07)."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from athena.contract.people import Principal, PrincipalKind, TokenScope
from athena.contract.tokens import Token, TokenCreate, TokenMade
from athena.db.people import TokenRow
from athena.errors import Conflict, NotFound
from athena.services.accounts import require_person
from athena.services.users import get_user_row, issue_token, token_digest

TOKEN_PREFIX = "athena_"
"""How the text of every script's token begins: told from a hub's at a glance, found by scanners for lost secrets."""
SHOWN = len(TOKEN_PREFIX) + 4
"""Characters of a token that are kept readable."""
MAX_TOKENS = 100


def list_tokens(session: Session, principal: Principal) -> tuple[Token, ...]:
    """Caller's own tokens, newest first."""
    rows = session.scalars(select(TokenRow).where(*_mine(principal)).order_by(TokenRow.created.desc(), TokenRow.id))
    return tuple(_describe(row) for row in rows)


def create_token(session: Session, principal: Principal, new: TokenCreate) -> TokenMade:
    """Make a token of the caller's own; its text is in the answer and nowhere else.

    Raises
    ------
    Forbidden : the caller is itself a script's token: it could outlive or outreach itself.
    Conflict : there is one of that name, or there are too many.
    """
    require_person(principal, "make tokens")
    get_user_row(session, principal.user_id, lock=True)  # one at a time: names and the number of tokens are checked
    names = session.scalars(select(TokenRow.name).where(*_mine(principal))).all()
    if new.name in names:
        raise Conflict(f"You have a token “{new.name}” already.", hint="Revoke it, or take another name.")
    if len(names) >= MAX_TOKENS:
        raise Conflict(f"You have {len(names)} tokens, which is as many as one may have.", hint="Revoke some.")
    text = issue_token(
        session,
        principal.user_id,
        new.name,
        kind=PrincipalKind.TOKEN,
        lifetime=timedelta(days=new.days) if new.days is not None else None,
        scope=new.scope,
        prefix=TOKEN_PREFIX,
        shown=SHOWN,
    )
    row = session.scalars(select(TokenRow).where(TokenRow.sha256 == token_digest(text))).one()
    return TokenMade(token=_describe(row), text=text)


def revoke_token(session: Session, principal: Principal, token_id: UUID) -> None:
    """Make one of the caller's own tokens void at once; NotFound if it is not there or somebody else's."""
    gone = session.execute(
        delete(TokenRow).where(*_mine(principal), TokenRow.id == token_id).returning(TokenRow.id)
    ).one_or_none()
    if gone is None:
        raise NotFound(f"You have no token {token_id}.")


def _mine(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    return TokenRow.user_id == principal.user_id, TokenRow.kind == PrincipalKind.TOKEN.value


def _describe(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scope=TokenScope(row.scope),
        start=row.start,
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
    )
