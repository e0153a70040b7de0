"""What one server does at most, so that no caller harms another."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    body_bytes: int = 2**20
    larger: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Routes whose bodies may be larger, by method and path."""
    body_s: float = 20.0
    """How long a body may take to arrive."""
    headers_s: float = 20.0
    """How long a connection may take to say what it asks for."""
    depth: int = 32
    """How deep JSON may be nested."""
    at_once: int = 12
    """Requests that are worked on at a time. Each holds a connection to the catalog, of which there are 15."""
    waiting: int = 512
    """Further ones that may wait for their turn."""
    answer_s: float = 30.0
    """How long a request may wait and work."""
    drain_s: int = 5
    """How long requests that are under way may take once the server stops."""


LIMITS = Limits()
