"""Documents' own bytes on their way into the store: held in a file until the snapshot that needs them is written."""

import tempfile
from collections.abc import Collection, Iterator
from typing import IO, Final

_BATCH_BYTES: Final = 32 * 2**20


class Originals:
    """By their SHA-256. What is in the file goes with the process."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="kb-originals-")  # noqa: SIM115
        self._places: dict[str, tuple[int, int]] = {}

    def keep(self, key: str, content: bytes) -> None:
        if key not in self._places:
            self._places[key] = (self._file.seek(0, 2), len(content))
            self._file.write(content)

    def batches(self, keys: Collection[str]) -> Iterator[list[tuple[str, bytes]]]:
        """Those of the keys that were kept, some megabytes at a time."""
        batch: list[tuple[str, bytes]] = []
        size = 0
        for key in sorted(self._places.keys() & set(keys)):
            content = self._content(key)
            batch.append((key, content))
            size += len(content)
            if size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _content(self, key: str) -> bytes:
        start, length = self._places[key]
        self._file.seek(start)
        return self._file.read(length)
