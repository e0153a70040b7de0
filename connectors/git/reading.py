"""Reading a file as a commit holds it, and when that commit was made."""

import os
import re
from datetime import datetime

from connectors.git.command import Git
from connectors.git.log import moment
from connectors.git.objects import Objects
from connectors.uri import path_of
from kb.errors import DocumentGone, SourceUnavailable

_COMMITTER = re.compile(rb"^committer .*?(-?\d+) [+-]\d+$", re.MULTILINE)
_COMMIT_BYTES = 64 * 2**20


class Reader:
    """Files by commit and URI; what it cannot find it tells apart: a wrong path, or a repository that lacks objects."""

    def __init__(self, git: Git, objects: Objects) -> None:
        self._git = git
        self._objects = objects
        self._last: tuple[str, datetime] | None = None

    def content(self, commit: str, uri: str, max_bytes: int) -> bytes:
        """Raises DocumentGone, ExtractionError, SourceUnavailable."""
        name = f"{commit}:".encode() + path_of(uri)
        # One question is one line, so a path that holds a line end has to be asked for by its object.
        question = self._object_id(name, commit, uri).encode() if b"\n" in name else name
        content = self._objects.read(question, uri, max_bytes)
        if content is None:
            raise self._lacks(f"object {self._object_id(name, commit, uri)} ({uri})")
        return content

    def time(self, commit: str) -> datetime:
        """The committer's time. Remembers the last, for files come commit by commit."""
        if self._last is None or self._last[0] != commit:
            content = self._objects.read(commit.encode(), commit, _COMMIT_BYTES)
            if content is None:
                raise self._lacks(f"commit {commit}")
            found = _COMMITTER.search(content.partition(b"\n\n")[0])
            self._last = commit, moment(found.group(1).decode() if found else "")
        return self._last[1]

    def _object_id(self, name: bytes, commit: str, uri: str) -> str:
        status, output, _ = self._git.ask("rev-parse", "--verify", "--quiet", os.fsdecode(name))
        if status == 0:
            return output.decode("ascii").strip()
        if self._git.ask("cat-file", "-e", f"{commit}^{{tree}}")[0]:
            raise self._lacks(f"commit {commit}")
        raise DocumentGone(f"{uri} is not in commit {commit}")

    def _lacks(self, what: str) -> SourceUnavailable:
        self._objects.close()
        return SourceUnavailable(f"{self._git.subject} lacks {what}; check it with `git fsck`")
