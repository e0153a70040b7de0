"""Who sends a request, and what that one may see."""

from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from kb.base import KnowledgeBase

Role = Literal["reader", "writer", "auditor", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """`base` is the knowledge base as its groups see it; None: everything."""

    name: str
    role: Role
    groups: tuple[str, ...] | None
    base: KnowledgeBase


def caller_of(request: Request) -> Caller:
    """Everyone on loopback is the local user."""
    return Caller("local", "admin", None, request.app.state.base)
