"""What the tables of contents have in common: rows by digest, stored once, each brought in by a version."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from kb.batches import batches
from kb.store.conditions import one_of
from kb.store.lance import Lance
from kb.store.reader import Reader

if TYPE_CHECKING:
    from lancedb.table import Table

KEYS_AT_ONCE: Final = 1_000
"""Keys in one condition."""


class Addressed:
    """Rows by their key; `since` is the version that brought one in."""

    def __init__(self, lance: Lance, name: str, key: str) -> None:
        self._lance = lance
        self._name = name
        self._reader = Reader(lance, name)
        self._key = key

    @property
    def _table(self) -> "Table":
        return self._lance.table(self._name)

    def keys(self, upto: int) -> set[str]:
        """Of all that were brought in up to a version."""
        found = self._table.search().where(f"since <= {upto}").select([self._key]).limit(None).to_batches()
        return {key for batch in found for key in batch.column(self._key).to_pylist()}

    def forget(self, keys: Iterable[str]) -> None:
        """Removes those rows; their space comes back with the next upkeep."""
        for batch in batches(sorted(set(keys)), KEYS_AT_ONCE):
            self._table.delete(one_of(self._key, batch))

    def recover(self, head: int) -> None:
        """Takes back whatever was written for versions after the head."""
        if self._table.count_rows(f"since > {head}"):
            self._table.delete(f"since > {head}")

    def _found(self, keys: Iterable[str], columns: Sequence[str]) -> Iterator[pa.Table]:
        for batch in batches(sorted(set(keys)), KEYS_AT_ONCE):
            yield self._reader.read(one_of(self._key, batch), columns)

    def _known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are there."""
        return {key for rows in self._found(keys, [self._key]) for key in rows[self._key].to_pylist()}
