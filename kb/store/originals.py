"""The table of documents' own bytes, for sources that keep them: stored once by their SHA-256."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from kb.digest import sha256_bytes
from kb.store.addressed import Addressed
from kb.store.lance import Lance

SCHEMA = pa.schema(
    [
        pa.field("content_sha256", pa.string(), nullable=False),
        pa.field("since", pa.int32(), nullable=False),
        pa.field("content", pa.large_binary(), nullable=False),
    ]
)


class OriginalTable(Addressed):
    """Bytes by their SHA-256."""

    def __init__(self, lance: Lance, name: str) -> None:
        super().__init__(lance, name, "content_sha256")

    def get(self, key: str) -> bytes | None:
        for rows in self._found([key], ["content"]):
            for content in rows["content"].to_pylist():
                return bytes(content)
        return None

    def write(self, contents: Iterable[list[tuple[str, bytes]]], since: int) -> None:
        """Stores those of each batch that are not there yet."""
        for batch in contents:
            known = self._known(key for key, _ in batch)
            new = {key: content for key, content in batch if key not in known}
            if new:
                columns = [list(new), [since] * len(new), list(new.values())]
                self._table.add(pa.table(columns, schema=SCHEMA))

    def changed(self) -> Iterator[str]:
        """The keys of what is not what its key says."""
        for batch in self._table.search().select(["content_sha256", "content"]).limit(None).to_batches(16):
            pairs = zip(batch.column("content_sha256").to_pylist(), batch.column("content"), strict=True)
            yield from (key for key, content in pairs if sha256_bytes(content.as_py()) != key)
