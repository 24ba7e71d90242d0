"""How errors travel over HTTP: the only place that knows both the tree of ``athena.errors`` and status codes."""

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from athena.contract.base import Problem
from athena.errors import AthenaError, Invalid, NotFound, TooManyAttempts, Unauthorized, Unavailable
from athena.server.headers import SECURITY_HEADERS

logger = logging.getLogger(__name__)

_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 503: "unavailable"}


def problem_response(problem: Problem, status: int, *, headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer that carries a problem; never kept by a cache."""
    # Not left to the middleware: the answer to an error of ours is made outside of it.
    # A message may quote what was sent, and JSON can spell half characters (lone surrogates) that UTF-8 cannot.
    told = {name: text.encode(errors="replace").decode() for name, text in problem.model_dump().items()}
    return JSONResponse(
        told, status_code=status, headers={**SECURITY_HEADERS, "Cache-Control": "no-store", **(headers or {})}
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the app leave it as a ``Problem``."""
    app.add_exception_handler(AthenaError, _athena_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(DataError, _not_storable)
    app.add_exception_handler(UnicodeEncodeError, _not_storable)
    app.add_exception_handler(OperationalError, _database_error)
    app.add_exception_handler(PoolTimeout, _database_error)
    app.add_exception_handler(Exception, _unhandled)


async def _athena_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AthenaError)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None
    if isinstance(error, TooManyAttempts):
        headers = {"Retry-After": str(error.retry_after_s)}
    return problem_response(
        Problem(code=error.code, message=error.message, hint=error.hint), error.status, headers=headers
    )


async def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # The rejected input itself is left out: it may be a password, and it may be huge.
    told = [
        f"{'.'.join(str(part) for part in item['loc'])}: {_reason(item)}" for item in jsonable_encoder(error.errors())
    ]
    shown = told[:10] + ([f"and {len(told) - 10} more"] if len(told) > 10 else [])
    return problem_response(
        Problem(code=Invalid.code, message="; ".join(shown), hint="The contract is docs/openapi.json."), Invalid.status
    )


def _reason(item: dict[str, Any]) -> str:
    """What is wrong, without the value that is."""
    if item["type"] == "union_tag_invalid":  # the only message of pydantic's that quotes the input
        return f"{item['ctx']['discriminator']} must be one of {item['ctx']['expected_tags']}"
    return str(item["msg"])


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, Invalid.code if error.status_code < 500 else AthenaError.code)
    message = error.detail
    if error.status_code == NotFound.status and error.detail == "Not Found":
        message = f"There is nothing at {request.url.path}."
    elif error.status_code == 405:
        message = f"{request.method} is not possible at {request.url.path}."
    headers = dict(error.headers) if error.headers else None
    return problem_response(Problem(code=code, message=message), error.status_code, headers=headers)


async def _not_storable(_request: Request, _error: Exception) -> JSONResponse:
    # NUL in a text (PostgreSQL has none), half characters, numbers past the column's
    problem = Problem(
        code=Invalid.code, message="A value of the request cannot be stored: it has impossible characters or size."
    )
    return problem_response(problem, Invalid.status)


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s: the database failed: %s", request.method, request.url.path, error)
    return problem_response(
        Problem(
            code=Unavailable.code,
            message="Athena's database does not answer.",
            hint="Nothing was changed. Try again in a little while; the log of the API says more.",
        ),
        Unavailable.status,
    )


async def _unhandled(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises the error again after this answer, so uvicorn logs the traceback next to this line.
    mark = secrets.token_hex(4)
    logger.error("problem %s: %s %s: %r", mark, request.method, request.url.path, error)
    return problem_response(
        Problem(
            code=AthenaError.code,
            message=f"Athena failed on this request (problem {mark}).",
            hint="Nothing was changed. The log of the API says more under that mark.",
        ),
        AthenaError.status,
    )
