"""The pages that a source had when it was last polled, each in one file: what tells the server what is known already.

It may be deleted at any time; that costs traffic alone.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kb.digest import sha256_bytes, sha256_text
from kb.errors import SourceUnavailable


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server said of a page. The validators are empty where they do not prove that bytes are the same."""

    sha256: str
    media_type: str | None = None
    modified: str | None = None
    """`Last-Modified` as it was sent."""
    etag: str = ""
    since: str = ""
    directives: tuple[str, ...] = ()
    """What its headers tell robots."""

    def validators(self) -> dict[str, str]:
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.since} if self.since else {}


@dataclass(frozen=True, slots=True)
class Kept:
    """A page as it was kept."""

    facts: Facts
    body: bytes


class Cache:
    """Files are written whole or not at all; a damaged one counts as none."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def page(self, url: str) -> Kept | None:
        """The page of that very URL, None where none is known."""
        head, body = self._read(url)
        try:
            facts = Facts(**{**head["facts"], "directives": tuple(head["facts"]["directives"])})
        except (KeyError, TypeError):
            return None
        whole = len(body) <= self._max_bytes and sha256_bytes(body) == facts.sha256
        return Kept(facts, body) if whole else None

    def target(self, url: str) -> str | None:
        """Where the URL was redirected to, None where it was not."""
        target = self._read(url)[0].get("target")
        return target if isinstance(target, str) else None

    def keep(self, url: str, facts: Facts, body: bytes) -> None:
        """Raises SourceUnavailable where there is no room."""
        self._write(url, {"url": url, "facts": asdict(facts)}, body)

    def keep_target(self, url: str, target: str) -> None:
        """Raises SourceUnavailable where there is no room."""
        if self.target(url) != target:
            self._write(url, {"url": url, "target": target}, b"")

    def forget(self, url: str) -> None:
        """Raises SourceUnavailable where that cannot be done."""
        try:
            self._file(url).unlink(missing_ok=True)
        except OSError as error:
            raise self._stuck(error) from error

    def prune(self, urls: Collection[str]) -> None:
        """Removes all but what belongs to these URLs."""
        names = {self._file(url).name for url in urls}
        for path in self._path.iterdir() if self._path.is_dir() else ():
            if path.name not in names:
                # What cannot be removed now is removed another time.
                with contextlib.suppress(OSError):
                    path.unlink()

    def _file(self, url: str) -> Path:
        return self._path / sha256_text(url)

    def _read(self, url: str) -> tuple[dict[str, Any], bytes]:
        try:
            first, _, body = self._file(url).read_bytes().partition(b"\n")
            head = json.loads(first)
        except (OSError, ValueError):
            return {}, b""
        return (head, body) if isinstance(head, dict) and head.get("url") == url else ({}, b"")

    def _write(self, url: str, head: dict[str, object], body: bytes) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(json.dumps(head).encode() + b"\n" + body)
                os.replace(name, self._file(url))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise self._stuck(error) from error

    def _stuck(self, error: OSError) -> SourceUnavailable:
        return SourceUnavailable(f"pages cannot be kept at {self._path}: {error.strerror or error}; make room there")
