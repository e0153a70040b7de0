"""The table of document texts with their passages, stored once by digest."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kb.layout import Layout
from kb.nouns import Passage
from kb.store.chunks import batches, one_of

if TYPE_CHECKING:
    from lancedb.table import Table

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

    def __init__(self, table: "Table") -> None:
        self._table = table

    def get(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys, whole."""
        return {row["layout"]: _layout(row) for row in self._rows(keys, SCHEMA.names)}

    def outlines(self, keys: Iterable[str]) -> dict[str, Layout]:
        """The layouts of those keys with an empty text: a long text costs, and its passages' places often suffice."""
        columns = ["layout", "text_sha256", "passages"]
        return {row["layout"]: _layout(row | {"text": ""}) for row in self._rows(keys, columns)}

    def write(self, layouts: Iterable[Layout], since: int) -> None:
        """Stores those layouts that are not there yet."""
        table = pa.Table.from_pylist([_row(layout, since) for layout in layouts], schema=SCHEMA)
        if len(table):
            self._table.merge_insert("layout").when_not_matched_insert_all().execute(table)

    def recover(self, head: int) -> None:
        """Takes back whatever was written for versions after the head."""
        if self._table.count_rows(f"since > {head}"):
            self._table.delete(f"since > {head}")

    def _rows(self, keys: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for batch in batches(sorted(set(keys))):
            query = self._table.search().where(one_of("layout", batch)).select(list(columns)).limit(None)
            found += query.to_arrow().to_pylist()
        return found


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
    passages = tuple(Passage(p["start"], p["end"], tuple(p["section"]), p["page"]) for p in row["passages"])
    cuts = tuple(p["text_sha256"] for p in row["passages"])
    return Layout(row["layout"], row["text_sha256"], row["text"], passages, cuts)
