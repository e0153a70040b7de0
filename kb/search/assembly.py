"""Longer passages of the texts that were found: widened to their sections, fitted to a budget, joined where they touch.

A document's passages leave out nothing but white space between them, so neighbours by number touch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import Final

from kb.digest import sha256_text
from kb.embedding.protocol import Tokeniser
from kb.layout import Layout, chunk_ids
from kb.nouns import FOREVER, Hit, Provenance
from kb.search.query import Query, View
from kb.search.texts import Place, Text

_WIDEST: Final = 16
"""Passages that a section is followed at most, either way: a text without headings is one section."""

Layouts = Mapping[str, Layout]
"""By the documents that have them."""
Step = tuple[Text, frozenset[int]]
"""A text, and the passages of its document that it brings."""
Chosen = dict[str, set[int]]
"""Passages by document, documents in the order of their best texts."""


def assemble(view: View, query: Query, texts: Sequence[Text], tokeniser: Callable[[], Tokeniser]) -> tuple[Hit, ...]:
    """Hits whose texts lie apart in their documents, in reading order there, documents by their best text."""
    layouts = _layouts(view, texts)
    wanted = [(text, _options(text, layouts[text.document_id], query)) for text in texts]
    if query.budget_tokens is None:
        steps = [(text, options[0]) for text, options in wanted]
    else:
        steps = _fitting(wanted, query.budget_tokens, _Measure(layouts, tokeniser()))
    return tuple(
        _hit(rank, run, [text for text, _ in steps if text.document_id == document and text.index in run], layouts)
        for rank, (document, run) in enumerate(_stretches(steps), 1)
    )


def _layouts(view: View, texts: Iterable[Text]) -> Layouts:
    owners = {text.document_id: text.places[0].owner.layout for text in texts}
    found = view.store.texts.get(owners.values())
    return {document: found[key] for document, key in owners.items()}


def _options(text: Text, layout: Layout, query: Query) -> list[frozenset[int]]:
    """What the text may bring, the most first."""
    alone = frozenset([text.index])
    return [_section(layout, text.index), alone] if query.expand else [alone]


def _section(layout: Layout, index: int) -> frozenset[int]:
    """The passages around it that stand under the same headings without a break."""
    passages, first, last = layout.passages, index, index
    while first > max(0, index - _WIDEST) and passages[first - 1].section == passages[index].section:
        first -= 1
    while last < min(len(passages) - 1, index + _WIDEST) and passages[last + 1].section == passages[index].section:
        last += 1
    return frozenset(range(first, last + 1))


# A budget


class _Measure:
    """Counts tokens, of each stretch of text once."""

    def __init__(self, layouts: Layouts, tokeniser: Tokeniser) -> None:
        self._layouts = layouts
        self._tokeniser = tokeniser
        self._of = cache(self._count)

    def apart(self, document: str, passages: Iterable[int]) -> int:
        """Of the passages, each by itself."""
        return sum(self._of(document, index, index) for index in passages)

    def joined(self, steps: Iterable[Step]) -> int:
        """Of the texts that the hits will have."""
        return sum(self._of(document, run[0], run[-1]) for document, run in _stretches(steps))

    def _count(self, document: str, first: int, last: int) -> int:
        return len(self._tokeniser.offsets(_text(self._layouts[document], first, last)))


def _fitting(wanted: Iterable[tuple[Text, list[frozenset[int]]]], budget: int, measure: _Measure) -> list[Step]:
    """The best that fit: what is too long is passed over for what is not."""
    steps: list[Step] = []
    chosen: Chosen = {}
    spent = 0
    for text, options in wanted:
        known = chosen.setdefault(text.document_id, set())
        for passages in options:
            cost = measure.apart(text.document_id, passages.difference(known))
            if spent + cost <= budget:
                known |= passages
                spent += cost
                steps.append((text, passages))
                break
    # Joined, passages may have a token or two more than by themselves.
    while measure.joined(steps) > budget:
        steps.pop()
    return steps


# Hits


def _stretches(steps: Iterable[Step]) -> Iterator[tuple[str, range]]:
    """Each document's runs of neighbouring passages, in reading order."""
    chosen: Chosen = {}
    for text, brought in steps:
        chosen.setdefault(text.document_id, set()).update(brought)
    for document, passages in chosen.items():
        for first in sorted(index for index in passages if index - 1 not in passages):
            last = first
            while last + 1 in passages:
                last += 1
            yield document, range(first, last + 1)


def _hit(rank: int, run: range, texts: Sequence[Text], layouts: Layouts) -> Hit:
    """Of the passages of a run and the texts among them, best first."""
    best = texts[0]
    layout, document = layouts[best.document_id], best.document_id
    others = (place for text in texts for place in text.places[1:])
    also = sorted(
        (place for place in others if place.owner.document_id != document or place.index not in run),
        key=lambda place: place.order,
    )
    return Hit(
        rank=rank,
        score=best.score,
        scores=best.scores,
        text=_text(layout, run[0], run[-1]),
        chunk_id=best.places[0].chunk_id,
        document_id=document,
        provenance=_provenance(best.places[0], run, layout),
        also=tuple(place.provenance for place in also),
        chunks=chunk_ids(document, layout.cuts)[run.start : run.stop],
    )


def _provenance(place: Place, run: range, layout: Layout) -> Provenance:
    if len(run) == 1:
        return place.provenance
    passages = layout.passages[run.start : run.stop]
    return replace(
        place.provenance,
        section=_shared([passage.section for passage in passages]),
        start=passages[0].start,
        end=passages[-1].end,
        page=passages[0].page,
        text_sha256=sha256_text(_text(layout, run[0], run[-1])),
        since=place.owner.since,
        until=None if place.owner.until == FOREVER else place.owner.until,
    )


def _shared(sections: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all stand under."""
    levels = zip(*sections, strict=False)
    return tuple(headings[0] for headings in takewhile(lambda headings: len(set(headings)) == 1, levels))


def _text(layout: Layout, first: int, last: int) -> str:
    return layout.text[layout.passages[first].start : layout.passages[last].end]
