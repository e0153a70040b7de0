"""Callers' keys: how they are made, written and recognised, and what each role may do.

A key is 256 random bits, so that one round of SHA-256 keeps it: nobody can try them all.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from kb.access import Groups

Role = Literal["reader", "writer", "auditor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_MAY: Final[dict[Role, frozenset[Role]]] = {
    "reader": frozenset({"reader"}),
    "writer": frozenset({"reader", "writer"}),
    "auditor": frozenset({"reader", "auditor"}),
    "admin": frozenset(ROLES),
}
SEEING_ALL: Final = ("auditor", "admin")
_TOKEN: Final = re.compile(r"kb_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Key:
    """`groups` is None where the role sees everything. Times are None for never."""

    key_id: str
    name: str
    role: Role
    groups: Groups | None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


def may(role: Role, deed: Role) -> bool:
    """Whether the role may do what the other is for.

    A reader searches and reads within its groups, a writer also pushes and syncs, an auditor reads everything, the
    request log too, and verifies; an admin does all.
    """
    return deed in _MAY[role]


def make_token() -> tuple[str, str]:
    """A new key's id and its token, which is shown once."""
    key_id = secrets.token_hex(8)
    return key_id, f"kb_{key_id}_{secrets.token_urlsafe(32)}"


def id_of(token: str) -> str | None:
    """None for what is no key."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
