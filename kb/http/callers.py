"""The caller of a request: who it is, what it may do, and the knowledge base as it sees it.

On loopback nobody needs a token until the first key is made or an issuer is configured. From then on everybody on TCP
does, on loopback too: what comes from there may come through a proxy from anywhere. The machine's own user, whom alone
the socket in the file system lets in, is an admin at all times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from kb.base import KnowledgeBase
from kb.callers import LOCAL, Callers, Identity, is_loopback
from kb.clock import now
from kb.errors import Forbidden, Unauthorized
from kb.keys import Role, may

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_LOCAL: Final = Identity(LOCAL, "admin", None)


@dataclass(frozen=True, slots=True)
class Caller:
    """`base` shows what the groups may see; None is for one who sees everything."""

    name: str
    role: Role
    groups: tuple[str, ...] | None
    base: KnowledgeBase


def caller_of(request: Request) -> Caller:
    """Raises Unauthorized."""
    base: KnowledgeBase = request.app.state.base
    found = _identity(request, _callers(request.app.state))
    narrowed = base.seen_by(found.groups, caller=found.name, audits=may(found.role, "auditor"))
    return Caller(found.name, found.role, found.groups, narrowed)


def require(role: Role) -> Callable[[Caller], Caller]:
    """The caller, who may do what the role is for; else Forbidden is raised."""

    def allowed(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        if not may(caller.role, role):
            raise Forbidden(f"this needs the role {role}, and {caller.name} is a {caller.role}")
        return caller

    return allowed


def _callers(state: Any) -> Callers:
    if not hasattr(state, "callers"):
        state.callers = Callers(state.base.home, state.base.catalog)
    callers: Callers = state.callers
    return callers


def _identity(request: Request, callers: Callers) -> Identity:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("give the key as `Authorization: Bearer KEY`")
        return callers.identify(token.strip(), now())
    host, port = request.scope.get("server") or ("", 0)
    if port is None:
        return _LOCAL
    if callers.known() or not _comes_from_here(request, host):
        raise Unauthorized("a key is needed: give it as `Authorization: Bearer KEY`")
    return _LOCAL


def _comes_from_here(request: Request, address: str) -> bool:
    """Whether a program of this machine asks for itself: not a proxy for others, and not a page in a browser."""
    headers = request.headers
    if not is_loopback(address) or any(name in headers for name in _FORWARDED):
        return False
    # A page can have its own name resolve to this machine; it cannot choose these two.
    places = [f"//{headers.get('host', '')}", *([headers["origin"]] if "origin" in headers else [])]
    try:
        names = [urlsplit(place).hostname for place in places]
    except ValueError:
        return False
    return all(name in ("localhost", "127.0.0.1", "::1") or name == address for name in names)
