"""Errors as problem+json (RFC 9457): what went wrong, with which object, and whether to try again."""

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from kb.errors import KBError

RETRY_AFTER_S: Final = 2
"""What a caller is told to wait where another try may help."""


def add_problems(app: FastAPI) -> None:
    """Answers every error of ours, of the framework and of nobody's expectation as a problem."""
    app.add_exception_handler(KBError, _known)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unknown)


def problem(status: int, kind: str, detail: str, *, retry: bool = False, closing: bool = False) -> JSONResponse:
    """A reply of that status; `kind` is the error's name. With `closing`, it is the last of its connection."""
    # What was sent may be quoted, and need not be text that can be sent back.
    told = detail.encode("utf-8", "backslashreplace").decode("utf-8")
    content = {"type": f"urn:palimpsest:{kind}", "title": kind, "status": status, "detail": told}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if retry else {}
    headers |= {"Connection": "close"} if closing else {}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KBError)
    reply = problem(error.http_status, type(error).__name__, str(error), retry=error.retry_helps)
    if error.http_status == 401:
        reply.headers["WWW-Authenticate"] = 'Bearer realm="palimpsest"'
    return reply


async def _of_the_framework(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.replace(" ", "")
    found = problem(error.status_code, kind, str(error.detail))
    found.headers.update(error.headers or {})
    return found


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
    return problem(422, "UsageError", words)


async def _unknown(_request: Request, error: Exception) -> JSONResponse:
    return problem(500, "InternalError", f"{type(error).__name__}: see the server's log")
