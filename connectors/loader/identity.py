"""What a loaded document is called, by what its loader says of it."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence

from connectors.loader.child import encoded
from connectors.loader.options import OWN_ID
from connectors.redaction import anonymous
from connectors.uri import uri_of

KEYS = ("source", "id", "doc_id", "url", "file_path", "page_id")
"""The metadata by which communities name their documents: the first that a document has."""
PAGES = ("page", "page_number", "page_label")

# Made from names: the same at every load. All other versions are drawn at random or from the clock.
_LASTING = (3, 5)


class UnnamedError(Exception):
    """Nothing lasting names the document; the text says what there is."""


def uri_by(keys: Sequence[str], own: str | None, metadata: Mapping[str, str]) -> str:
    """The document's URI. Raises UnnamedError."""
    if keys:
        parts = [own if key == OWN_ID else metadata.get(key) for key in keys]
        missing = [key for key, part in zip(keys, parts, strict=True) if part is None or not part.strip()]
        if missing:
            raise UnnamedError(f"has no {', '.join(missing)}; {_advice(metadata)}")
        return _joined([part for part in parts if part is not None])
    found = next((metadata[key] for key in KEYS if metadata.get(key, "").strip()), None)
    if found is not None:
        return _joined([found])
    if own is None or not own.strip():
        raise UnnamedError(f"has no id and none of {', '.join(KEYS)} in its metadata; {_advice(metadata)}")
    if _random(own):
        raise UnnamedError(
            f"has none of {', '.join(KEYS)} in its metadata, and its own id looks made up at random; "
            f"{_advice(metadata)}, or id={OWN_ID} if its own ids last"
        )
    return _joined([own])


def page_of(metadata: Mapping[str, str]) -> int | None:
    """Its place among the documents of the same name."""
    found = next((metadata[key] for key in PAGES if key in metadata), "")
    return int(found) if re.fullmatch(r"[0-9]{1,9}", found) else None


def common(many: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    rest = iter(many)
    shared = dict(next(rest))
    for other in rest:
        shared = {key: value for key, value in shared.items() if other.get(key) == value}
    return shared


def readable(text: str) -> str:
    """Without a URL's user and password, and what is no Unicode becomes `?`: no catalog would take it."""
    return anonymous(text).encode("utf-8", "replace").decode()


def _joined(parts: Sequence[str]) -> str:
    uris = [uri_of(encoded(anonymous(part))) for part in parts]
    return uris[0] if len(uris) == 1 else "#".join(uri.replace("#", "%23") for uri in uris)


def _advice(metadata: Mapping[str, str]) -> str:
    known = [key for key in metadata if key.isprintable()][:20]
    return f"give id=KEY, one of its metadata's keys: {', '.join(known) or 'it has none'}"


def _random(own: str) -> bool:
    try:
        return uuid.UUID(own).version not in _LASTING
    except ValueError:
        return False
