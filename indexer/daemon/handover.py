"""What another terminal hands to the daemon of the same home: it has the lock, and the model at hand."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, TypeVar
from urllib.parse import quote

from indexer.outcome import SyncReport, joined
from indexer.retain import Retention
from kb import errors
from kb.daemon import Endpoint
from kb.errors import Interrupted, KBError, NotFound
from kb.retention import Policy

T = TypeVar("T")
_CONNECT_S: Final = 5.0


class Handover:
    """The daemon's verbs, over its socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.pid = endpoint.pid
        self._endpoint = endpoint

    def sync(self, names: Sequence[str], message: str | None, allow_deletes: bool) -> SyncReport:
        """One source after the other; raises what the daemon's own sync raises."""
        body = {"message": message, "allow_deletes": allow_deletes}
        parts = [_parsed(SyncReport, self._ask("POST", f"{_path(name)}/sync", body)) for name in names]
        return joined(parts)

    def retain(self, policy: Policy) -> Retention:
        return _parsed(Retention, self._ask("POST", "/v1/retain", asdict(policy)))

    def remove(self, name: str, purge: bool) -> int | None:
        """The version in which its documents left, if they did."""
        found: int | None = self._ask("DELETE", f"{_path(name)}?purge={str(purge).lower()}")["version"]
        return found

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        import httpx

        transport = httpx.HTTPTransport(uds=self._endpoint.path)
        timeout = httpx.Timeout(None, connect=_CONNECT_S)
        try:
            with httpx.Client(transport=transport, base_url="http://kb", timeout=timeout) as client:
                reply = client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise Interrupted(
                f"the daemon (process {self.pid}) went away meanwhile: see `kb log` for what it published"
            ) from error
        if reply.is_error:
            raise _error(reply.json())
        return reply.json()


def _path(name: str) -> str:
    """Raises NotFound for what can be no source's name, and no part of a path."""
    if quote(name, safe="") != name or not name.strip("."):
        raise NotFound(f"there is no source {name!r}")
    return f"/v1/sources/{name}"


def _error(problem: dict[str, Any]) -> KBError:
    kind = getattr(errors, str(problem.get("title")), KBError)
    known = isinstance(kind, type) and issubclass(kind, KBError) and kind is not errors.ExtractionError
    return (kind if known else KBError)(problem.get("detail", ""))


def _parsed(kind: type[T], value: Any) -> T:
    from pydantic import TypeAdapter

    parsed: T = TypeAdapter(kind).validate_python(value)
    return parsed
