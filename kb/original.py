"""A document's own bytes, where its source keeps them."""

from kb.errors import NotFound
from kb.nouns import DocumentVersion
from kb.store import Store


def original(store: Store, version: DocumentVersion) -> bytes:
    """Raises NotFound where they were not kept."""
    originals = store.find_originals()
    content = originals.get(version.content_sha256) if originals else None
    if content is None:
        raise NotFound(
            f"the bytes of {version.source}:{version.uri} at version {version.since} were not kept: "
            f"`kb source set {version.source} keep_original=true` keeps those that are read from then on"
        )
    return content
