"""A loader as communities write them, for the contract suite: every file beneath a directory is a document."""

import os
from collections.abc import Iterator
from types import SimpleNamespace


class Files:
    def __init__(self, root: str) -> None:
        self.root = os.fsencode(root)

    def lazy_load(self) -> Iterator[SimpleNamespace]:
        for directory, _, names in os.walk(self.root, onerror=self.fail):
            for name in names:
                yield self.document(os.path.join(directory, name))

    def document(self, path: bytes) -> SimpleNamespace:
        with open(path, "rb") as file:
            # Loaders give texts: bytes that are none travel as Python's file names do.
            text = file.read().decode("utf-8", "surrogateescape")
        return SimpleNamespace(page_content=text, metadata={"source": os.fsdecode(os.path.relpath(path, self.root))})

    def fail(self, error: OSError) -> None:
        raise error
