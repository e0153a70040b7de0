"""What a delta takes away and brings in, as far as vectors and versions have no part in it.

It needs the rows that end and the words of all, and takes about as long as writing them: it is worked out while chunks
are embedded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from indexer.delta import Delta
from kb.analysis import analyse
from kb.digest import SetDigest
from kb.errors import Corrupt
from kb.nouns import FOREVER
from kb.store.chunks import ChunkTable
from kb.store.rows import ROW_ID, SEALED, members

Rows = Any
"""A PyArrow table of chunk rows."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """`dying` are the rows that end, as they live, and `gone` is what their end does to the snapshot's rows digest."""

    dying: Rows
    gone: SetDigest
    tokens: Mapping[str, str]
    """The analysed words of the texts that are born, joined by spaces, by the texts' SHA-256."""
    growth: int
    """By how much the number of all tokens changes."""
    frequencies: Mapping[str, int]
    """By how much the number of chunks that hold each term changes."""


def turn_over(table: ChunkTable, delta: Delta) -> Turnover:
    """`table` holds the rows that end. Raises Corrupt where some are missing."""
    dying = table.some(delta.ended, f"until = {FOREVER}", (*SEALED, ROW_ID))
    if len(dying) != len(delta.ended):
        raise Corrupt(f"{len(delta.ended) - len(dying)} chunk rows that live at the head are missing: run `kb verify`")
    gone = SetDigest()
    gone.remove(members(dying))
    analysed = {birth.chunk.text_sha256: analyse(birth.chunk.text) for birth in delta.born}
    born = [analysed[birth.chunk.text_sha256] for birth in delta.born]
    ending = [tokens.split() for tokens in dying["tokens"].to_pylist()]
    more, fewer = _holding(born), _holding(ending)
    return Turnover(
        dying=dying,
        gone=gone,
        tokens={text: " ".join(tokens) for text, tokens in analysed.items()},
        growth=sum(map(len, born)) - sum(map(len, ending)),
        frequencies={term: count for term in more.keys() | fewer.keys() if (count := more[term] - fewer[term])},
    )


def _holding(chunks: Iterable[list[str]]) -> Counter[str]:
    """How many of the chunks hold each term."""
    return Counter(chain.from_iterable(map(set, chunks)))
