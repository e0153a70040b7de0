"""The passages of a layout in a form to be remembered: fifty bytes each, where Python's objects take four hundred."""

from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kb.layout import Layout
from kb.nouns import Passage
from kb.store.packed import Packed, hexadecimal, packed

T = TypeVar("T")
_PLACE: Final = np.dtype([("start", "i4"), ("end", "i4"), ("section", "i4"), ("page", "i4")])
_NO_PAGE: Final = -1
Places = np.ndarray[tuple[int], np.dtype[np.void]]
_CUT: Final = 32
"""Bytes of a SHA-256."""


class _Remembered(Sequence[T], Generic[T]):
    """Equals the tuple that it stands for."""

    __slots__ = ()

    def _one(self, index: int) -> T:
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return tuple(self)[index]
        # Raises IndexError as a tuple would.
        return self._one(range(len(self))[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


class Cuts(_Remembered[str]):
    """Digests, in hexadecimal."""

    __slots__ = ("_digests",)

    def __init__(self, digests: Packed) -> None:
        self._digests = digests

    def __len__(self) -> int:
        return len(self._digests)

    def __iter__(self) -> Iterator[str]:
        return iter(hexadecimal(self._digests))

    def _one(self, index: int) -> str:
        return hexadecimal(self._digests[index : index + 1])[0]


class Passages(_Remembered[Passage]):
    __slots__ = ("_places", "_sections")

    def __init__(self, places: Places, sections: Sequence[tuple[str, ...]]) -> None:
        """`places` name their sections by where those stand."""
        self._places = places
        self._sections = sections

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Passage]:
        return iter([self._passage(*place) for place in self._places.tolist()])

    def _one(self, index: int) -> Passage:
        return self._passage(*self._places[index].tolist())

    def _passage(self, start: int, end: int, section: int, page: int) -> Passage:
        return Passage(start, end, self._sections[section], None if page == _NO_PAGE else page)


def read_outlines(rows: pa.Table | pa.RecordBatch) -> Iterator[Layout]:
    """Layouts with an empty text, of rows with their key, digest and passages."""
    passages = rows.column("passages")
    passages = passages.combine_chunks() if isinstance(passages, pa.ChunkedArray) else passages
    every = passages.flatten()
    places = np.zeros(len(every), _PLACE)
    places["start"], places["end"] = every.field("start").to_numpy(), every.field("end").to_numpy()
    places["page"] = pc.fill_null(every.field("page"), _NO_PAGE).to_numpy()
    sections = [tuple(section) for section in every.field("section").to_pylist()]
    cuts = packed(every.field("text_sha256").to_pylist(), _CUT)
    lasts = np.cumsum(pc.list_value_length(passages).to_numpy()).tolist()
    keys = zip(rows.column("layout").to_pylist(), rows.column("text_sha256").to_pylist(), strict=True)
    for (key, digest), first, last in zip(keys, [0, *lasts], lasts, strict=False):
        held = _passages(places[first:last].copy(), sections[first:last])
        yield Layout(key, digest, "", held, Cuts(cuts[first:last].copy()))


def outline_of(layout: Layout) -> Layout:
    """The layout with an empty text."""
    places = [(one.start, one.end, 0, _NO_PAGE if one.page is None else one.page) for one in layout.passages]
    passages = _passages(np.array(places, _PLACE), [one.section for one in layout.passages])
    return Layout(layout.key, layout.text_sha256, "", passages, Cuts(packed(layout.cuts, _CUT)))


def _passages(places: Places, sections: Sequence[tuple[str, ...]]) -> Passages:
    held = {section: number for number, section in enumerate(dict.fromkeys(sections))}
    places["section"] = [held[section] for section in sections]
    return Passages(places, tuple(held))
