"""The caller's own tokens for scripts."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.tokens import Token, TokenCreate, TokenMade
from athena.server.caller import CallerDep
from athena.services import tokens

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("")
def list_tokens(caller: CallerDep) -> tuple[Token, ...]:
    """List the caller's tokens, newest first."""
    with caller.reading() as session:
        return tokens.list_tokens(session, caller.principal)


@router.post("", status_code=201)
def create_token(caller: CallerDep, new: TokenCreate) -> TokenMade:
    """Make a token; its text is in this answer and nowhere else."""
    with caller.writing() as session:
        return tokens.create_token(session, caller.principal, new)


@router.delete("/{token_id}", status_code=204)
def revoke_token(caller: CallerDep, token_id: UUID) -> None:
    """Make a token void."""
    with caller.writing() as session:
        tokens.revoke_token(session, caller.principal, token_id)
