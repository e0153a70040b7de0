"""Who asks, and the knowledge base as they may see it."""

from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from kb.base import KnowledgeBase

Role = Literal["reader", "writer", "auditor", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """`groups` is None for one who may see everything."""

    name: str
    role: Role
    groups: tuple[str, ...] | None
    base: KnowledgeBase


async def caller_of(request: Request) -> Caller:
    """On loopback everyone is the machine's own user."""
    return Caller("local", "admin", None, request.app.state.base)
