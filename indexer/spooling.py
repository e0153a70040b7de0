"""Where sources of kind push keep what they were sent: a spool for each, made with the source and gone with it."""

import uuid
from collections.abc import Mapping
from typing import Any

from connectors.push.connector import KIND, spool_path
from connectors.push.spool import Spool
from kb.errors import UsageError
from kb.home import Home
from kb.nouns import Source


def furnish(home: Home, kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a source that is being added; one of kind push gets a new spool."""
    if kind != KIND:
        return dict(options)
    if "spool" in options:
        raise UsageError("push source: `spool` is made up when the source is added; leave it out")
    # Never derived from the source's name: one that is added again must not find what an earlier one held.
    name = uuid.uuid4().hex
    _spool(home, name).create()
    return {**options, "spool": name}


def require_same(source: Source, options: Mapping[str, Any]) -> None:
    """Raises UsageError where a source would change to another spool."""
    if source.kind == KIND and options.get("spool") != source.options.get("spool"):
        raise UsageError(f"source {source.name!r} cannot change its spool: add another source")


def spool(home: Home, source: Source) -> Spool:
    """Raises UsageError for a source that is not pushed to."""
    if source.kind != KIND:
        raise UsageError(f"source {source.name!r} is of kind {source.kind}, which is polled: push to one of kind push")
    return _spool(home, source.options.get("spool", ""))


def clear(home: Home, source: Source) -> None:
    """Removes the source's spool, if it is one that has a spool."""
    if source.kind == KIND and source.options.get("spool"):
        spool(home, source).discard()


def _spool(home: Home, name: str) -> Spool:
    return Spool(spool_path(home.workspace, name), home.config.max_document_mb * 2**20)
