"""A document's text and the passages cut from it: what its chunks, their ids and their digests derive from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kb.digest import chunk_id, digest, sha256_text
from kb.nouns import Passage


@dataclass(frozen=True, slots=True)
class Layout:
    """A text and its passages, named by their digest. `cuts` are the SHA-256 of each passage's text, in order."""

    key: str
    text_sha256: str
    text: str
    passages: Sequence[Passage]
    cuts: Sequence[str]


def lay_out(text: str, passages: Sequence[Passage]) -> Layout:
    cuts = tuple(sha256_text(text[passage.start : passage.end]) for passage in passages)
    text_sha256 = sha256_text(text)
    return Layout(layout_key(text_sha256, passages, cuts), text_sha256, text, tuple(passages), cuts)


def layout_key(text_sha256: str, passages: Sequence[Passage], cuts: Sequence[str]) -> str:
    """The digest by which a layout is stored: of its text and of each passage's span, place and text."""
    spans = [(p.start, p.end, p.section, p.page, cut) for p, cut in zip(passages, cuts, strict=True)]
    return digest("layout", text_sha256, spans)


def occurrences(cuts: Sequence[str]) -> tuple[int, ...]:
    """How many equal passages stand before each: by that they are told apart."""
    if len(set(cuts)) == len(cuts):
        return (0,) * len(cuts)
    seen: Counter[str] = Counter()
    counted = []
    for cut in cuts:
        counted.append(seen[cut])
        seen[cut] += 1
    return tuple(counted)


def chunk_ids(document_id: str, cuts: Sequence[str]) -> tuple[str, ...]:
    """The ids of a document's chunks, in order."""
    numbered = zip(cuts, occurrences(cuts), strict=True)
    return tuple(chunk_id(document_id, cut, occurrence) for cut, occurrence in numbered)
