"""The table of document texts with their passages, stored once by digest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kb.batches import batches
from kb.layout import Layout
from kb.nouns import Passage
from kb.store.chunks import KEYS_AT_ONCE, bytes_of, one_of, patiently
from kb.store.loop import loop

if TYPE_CHECKING:
    from lancedb.table import AsyncTable, Table

_PASSAGE = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("section", pa.list_(pa.string())),
        pa.field("page", pa.int32()),
        pa.field("text_sha256", pa.string(), nullable=False),
    ]
)
SCHEMA = pa.schema(
    [
        pa.field("layout", pa.string(), nullable=False),
        pa.field("since", pa.int32(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("passages", pa.list_(_PASSAGE), nullable=False),
    ]
)


class TextTable:
    """Layouts by their key; `since` is the version that brought one in."""

    def __init__(self, table: "Table", reader: "Callable[[], AsyncTable]") -> None:
        self._table = table
        self._open_reader = reader

    def get(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys, whole."""
        return {row["layout"]: _layout(row) for row in self._rows(keys, SCHEMA.names)}

    def outlines(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys with an empty text: a long text costs, and its passages' places often suffice."""
        columns = ["layout", "text_sha256", "passages"]
        return {row["layout"]: _layout(row | {"text": ""}) for row in self._rows(keys, columns)}

    def places(self, keys: Iterable[str], cuts: Iterable[str]) -> dict[tuple[str, str], list[Passage]]:
        """The passages of those layouts whose texts have one of those SHA-256, in order, by layout and SHA-256."""
        found: dict[tuple[str, str], list[Passage]] = {}
        wanted = pa.array(set(cuts), pa.string())
        for rows in self._tables(keys, ["layout", "passages"]):
            passages = rows["passages"].combine_chunks()
            owners = rows["layout"].take(passages.value_parent_indices())
            chosen = pc.is_in(pc.struct_field(passages.flatten(), "text_sha256"), wanted)
            kept = zip(owners.filter(chosen).to_pylist(), passages.flatten().filter(chosen).to_pylist(), strict=True)
            for layout, passage in kept:
                found.setdefault((layout, passage["text_sha256"]), []).append(_passage(passage))
        return found

    def write(self, layouts: Iterable[Layout], since: int) -> None:
        """Stores those layouts that are not there yet."""
        wanted = {layout.key: layout for layout in layouts}
        known = {row["layout"] for row in self._rows(wanted, ["layout"])}
        # Added, not merged: a merge takes several times as long, and nobody else writes.
        new = [_row(layout, since) for key, layout in wanted.items() if key not in known]
        if new:
            self._table.add(pa.Table.from_pylist(new, schema=SCHEMA))

    def keys(self, upto: int) -> set[str]:
        """Of all layouts that were brought in up to a version."""
        batches = self._table.search().where(f"since <= {upto}").select(["layout"]).limit(None).to_batches()
        return {key for batch in batches for key in batch.column("layout").to_pylist()}

    def weigh(self, keys: Iterable[str]) -> int:
        """The bytes of the texts of those layouts, before any compression."""
        return sum(
            bytes_of(
                self._table.search().where(one_of("layout", batch)).select(["text"]).limit(None).to_arrow()["text"]
            )
            for batch in batches(sorted(set(keys)), KEYS_AT_ONCE)
        )

    def forget(self, keys: Iterable[str]) -> None:
        """Removes those layouts; their space comes back with the next upkeep."""
        for batch in batches(sorted(set(keys)), KEYS_AT_ONCE):
            self._table.delete(one_of("layout", batch))

    def recover(self, head: int) -> None:
        """Takes back whatever was written for versions after the head."""
        if self._table.count_rows(f"since > {head}"):
            self._table.delete(f"since > {head}")

    def _rows(self, keys: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
        return [row for rows in self._tables(keys, columns) for row in rows.to_pylist()]

    def _tables(self, keys: Iterable[str], columns: Sequence[str]) -> Iterator[pa.Table]:
        for batch in batches(sorted(set(keys)), KEYS_AT_ONCE):
            query = self._reader.query().where(one_of("layout", batch)).select(list(columns))
            yield patiently(lambda query=query: loop().run(query.to_arrow()))  # type: ignore[misc]

    @cached_property
    def _reader(self) -> "AsyncTable":
        return self._open_reader()


def _row(layout: Layout, since: int) -> dict[str, Any]:
    passages = [
        {"start": p.start, "end": p.end, "section": list(p.section), "page": p.page, "text_sha256": cut}
        for p, cut in zip(layout.passages, layout.cuts, strict=True)
    ]
    return {
        "layout": layout.key,
        "since": since,
        "text_sha256": layout.text_sha256,
        "text": layout.text,
        "passages": passages,
    }


def _layout(row: dict[str, Any]) -> Layout:
    passages = tuple(map(_passage, row["passages"]))
    cuts = tuple(p["text_sha256"] for p in row["passages"])
    return Layout(row["layout"], row["text_sha256"], row["text"], passages, cuts)


def _passage(row: dict[str, Any]) -> Passage:
    return Passage(row["start"], row["end"], tuple(row["section"]), row["page"])
