"""What another terminal hands to the daemon of the same home: it has the lock, and the model at hand."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from indexer.outcome import SyncReport, joined
from indexer.retain import Retention
from kb.client.local import exchange
from kb.client.reply import problem
from kb.daemon import Endpoint
from kb.errors import Interrupted, NotFound
from kb.retention import Policy
from kb.wire import parsed


class Handover:
    """The daemon's verbs, over its socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.pid = endpoint.pid
        self._endpoint = endpoint

    def sync(self, names: Sequence[str], message: str | None, allow_deletes: bool) -> SyncReport:
        """One source after the other; raises what the daemon's own sync raises."""
        body = {"message": message, "allow_deletes": allow_deletes}
        parts = [parsed(SyncReport, self._ask("POST", f"{_path(name)}/sync", body)) for name in names]
        return joined(parts)

    def retain(self, policy: Policy) -> Retention:
        found: Retention = parsed(Retention, self._ask("POST", "/v1/retain", asdict(policy)))
        return found

    def remove(self, name: str, purge: bool) -> int | None:
        """The version in which its documents left, if they did."""
        found: int | None = self._ask("DELETE", f"{_path(name)}?purge={str(purge).lower()}")["version"]
        return found

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        # However long the work takes: that the daemon answers at all was seen when it was found.
        sent = None if body is None else json.dumps(body).encode()
        try:
            status, content = exchange(self._endpoint.path, method, path, sent, None)
        except (OSError, HTTPException) as error:
            raise Interrupted(
                f"the daemon (process {self.pid}) went away meanwhile: see `kb log` for what it published"
            ) from error
        if status >= 400:
            raise problem(status, content)
        return json.loads(content)


def _path(name: str) -> str:
    """Raises NotFound for what can be no source's name, and no part of a path."""
    if quote(name, safe="") != name or not name.strip("."):
        raise NotFound(f"there is no source {name!r}")
    return f"/v1/sources/{name}"
