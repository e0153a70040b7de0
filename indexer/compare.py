"""A document version held against its source: whether the bytes there are those that were indexed."""

from connectors.protocol import Connector, Entry
from kb.answers import Finding
from kb.digest import sha256_bytes
from kb.errors import DocumentGone, KBError
from kb.nouns import DocumentVersion


def compare_source(connector: Connector, version: DocumentVersion) -> Finding | None:
    """Reads at the version's own revision where the source knows revisions, else what is there now."""
    subject = f"{version.source}:{version.uri}"
    try:
        fetched = connector.fetch(Entry(version.uri, stamp="", locator=version.source_revision or ""))
    except DocumentGone:
        return Finding("gone from source", subject, "it is not at its source any more")
    except KBError as error:
        return Finding("unreadable source", subject, str(error))
    if sha256_bytes(fetched.content) == version.content_sha256:
        return None
    return Finding("differs from source", subject, f"its source holds other bytes than version {version.since} indexed")
