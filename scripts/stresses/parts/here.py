"""Extraction where it stands, for work that is stopped and watched: what is under test then is the writer."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from indexer.extract.pool import ExtractionPool
from kb.errors import KBError


class Here(ExtractionPool):
    """No process of its own."""

    def map(self, function: Callable[[Any], Any], arguments: Iterable[Any], weigh: Any = None) -> Iterator[Any]:
        for argument in arguments:
            try:
                yield function(argument)
            except KBError as error:
                yield error
