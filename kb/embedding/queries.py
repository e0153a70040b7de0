"""Queries' vectors for many callers at once: remembered, made once for equal queries, and made together."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Condition
from typing import Final

from kb.embedding.protocol import Embedder, Vectors
from kb.embedding.query import embed_queries
from kb.errors import Interrupted

_REMEMBERED: Final = 2_000
"""Vectors: 3 MB of them with 384 dimensions."""

Asked = dict[str, "Future[Vectors]"]
"""Texts of one embedding space, and where their vectors are awaited."""


class QueryVectors:
    """May be called by any number of threads.

    One caller embeds at a time in each space. Those who come meanwhile wait; one of them then embeds all that they
    asked for in one call. So no query waits for company, and the busier it is, the more go together.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._most = remembered
        self._known: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._changed = Condition()
        self._waiting: dict[str, Asked] = {}
        self._under_way: dict[str, Asked] = {}

    def vector(self, space: str, text: str, embedder: Callable[[], Embedder]) -> Vectors:
        """The query's unit vector, the very one that the embedder alone gives. Raises EmbedderError."""
        with self._changed:
            known = self._recall(space, text)
            if known is not None:
                return known
            future = self._join(space, text)
            while not future.done() and space in self._under_way:
                self._changed.wait()
            if future.done():
                return future.result()
            asked = self._under_way[space] = self._waiting.pop(space)
        try:
            _answer(asked, embedder)
        finally:
            self._finish(space, asked)
        return future.result()

    def _recall(self, space: str, text: str) -> Vectors | None:
        known = self._known.get((space, text))
        if known is not None:
            self._known.move_to_end((space, text))
        return known

    def _join(self, space: str, text: str) -> "Future[Vectors]":
        """What an equal query awaits already, else a place among those that are embedded next."""
        under_way = self._under_way.get(space, {})
        if text in under_way:
            return under_way[text]
        return self._waiting.setdefault(space, {}).setdefault(text, Future())

    def _finish(self, space: str, asked: Asked) -> None:
        with self._changed:
            del self._under_way[space]
            for text, future in asked.items():
                if not future.done():
                    future.set_exception(Interrupted("the query's embedding was stopped: ask again"))
                elif future.exception() is None:
                    self._known[space, text] = future.result()
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            self._changed.notify_all()


def _answer(asked: Mapping[str, "Future[Vectors]"], embedder: Callable[[], Embedder]) -> None:
    try:
        vectors = embed_queries(embedder(), list(asked))
    except Exception as error:
        if len(asked) == 1:
            next(iter(asked.values())).set_exception(error)
            return
        # Which of them failed is not known, and no query may fail for another's sake.
        for text, future in asked.items():
            _answer({text: future}, embedder)
        return
    for future, vector in zip(asked.values(), vectors, strict=True):
        # A copy, or a remembered vector would keep its whole batch; read-only, for it has many readers.
        own = vector.copy()
        own.flags.writeable = False
        future.set_result(own)
