"""A row as a document: its bytes, what they are, and what else is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.sql.options import SqlOptions
from connectors.sql.values import fit, plain, rendered
from kb.digest import digest, sha256_bytes


@dataclass(frozen=True, slots=True)
class Document:
    content: bytes
    media_type: str | None
    metadata: Mapping[str, str]

    @property
    def digest(self) -> str:
        return digest(sha256_bytes(self.content), self.media_type, dict(self.metadata))[:32]


def compose(options: SqlOptions, values: Mapping[str, object]) -> Document:
    """One text column is the document as it is; a title, or more columns than one, make it Markdown with headings.

    A lone binary value is a file's bytes, whatever its title. A row without text is an empty document.
    """
    metadata = {name: fit(rendered(values[name])) for name in options.metadata if values[name] is not None}
    texts = [plain(values[name]) for name in options.text]
    if all(text in (None, "", b"") for text in texts):
        return Document(b"", "text/plain", metadata)
    if len(texts) == 1 and isinstance(texts[0], bytes):
        return Document(texts[0], None, metadata)
    if len(texts) == 1 and options.title is None:
        return Document(_encoded(rendered(texts[0])), "text/plain", metadata)
    title = values[options.title] if options.title else None
    return Document(_encoded(_markdown(title, options.text, texts)), "text/markdown", metadata)


def _markdown(title: object, names: Sequence[str], texts: Sequence[object]) -> str:
    heading = "" if title is None else " ".join(rendered(title).split())
    sections = [f"# {heading}"] if heading else []
    for name, text in zip(names, texts, strict=True):
        words = "" if text is None else rendered(text)
        if words and len(names) > 1:
            sections.append(f"## {name}")
        if words:
            sections.append(words)
    return "\n\n".join(sections) + "\n"


def _encoded(text: str) -> bytes:
    # SQLite keeps text that is no UTF-8; as bytes it is what it was.
    return text.encode("utf-8", "surrogateescape")
