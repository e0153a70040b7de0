"""The one tokenisation that BM25 knows: documents and queries become the same tokens.

Words are compatibility-normalised, case-folded, freed of Latin accents and stemmed as English. An identifier counts as
itself and as its parts (`maxTokens`: maxtokens, max, tokens); measured, that is worth .08 nDCG@10 on code and .01 on
scientific abstracts. Scripts that write no spaces between words (and Korean, for its endings) count by single
characters and by pairs.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from itertools import chain, pairwise

import regex  # type: ignore[import-untyped]
import Stemmer

LONGEST = 64
"""Characters of a token; what is longer counts by its beginning."""

ANALYSER = f"palimpsest 1, snowball english {version('PyStemmer')}, unicode {unicodedata.unidata_version}"
"""Names all that shapes the tokens."""

# Function words: in questions about code, counting them costs .2 nDCG@10.
_FUNCTION_WORDS = """
a about above after again against all am an and any are as at be because been before being below between both but by
can could did do does doing don down during each few for from further had has have having he her here hers herself
him himself his how i if in into is it its itself just me more most my myself no nor not now of off on once only or
other ought our ours ourselves out over own s same she should so some such t than that the their theirs them
themselves then there these they this those through to too under until up very was we were what when where which
while who whom why will with would you your yours yourself yourselves
aren couldn didn doesn hadn hasn haven isn ll shouldn ve wasn weren wouldn
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{_UNSPACED}]]+"
_RUNS = regex.compile(rf"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}\p{{M}}]*)|{_WORD}", regex.V1)
_ASCII_WORDS = re.compile(r"\w+", re.ASCII)
_CLUSTERS = regex.compile(r"\X")
# PEPs, HTTPResponse, maxTokens, sha256.
_PARTS = regex.compile(r"\p{Lu}{2,}s(?!\p{Ll})|\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{N}+|[\p{L}\p{M}]+")
_LATIN_ACCENTS = regex.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_stemmers = threading.local()


def analyse(text: str) -> list[str]:
    """The tokens of `text` in order, repeats kept: none is empty, holds white space or exceeds `LONGEST` characters."""
    # No word goes past white space, and most need nothing of Unicode: they take a fraction of the time.
    pieces = [text] if text.isascii() else text.split()
    return list(chain.from_iterable(_ascii(piece) if piece.isascii() else _unicode(piece) for piece in pieces))


def _ascii(text: str) -> Iterable[str]:
    """What `_unicode` gives, where every character is ASCII."""
    return chain.from_iterable(map(_word, _ASCII_WORDS.findall(text)))


def _unicode(text: str) -> Iterator[str]:
    for run in _RUNS.finditer(unicodedata.normalize("NFKC", text)):
        yield from _pairs(run[0]) if run["unspaced"] else _word(run[0])


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> tuple[str, ...]:
    """A word's token and, of an identifier, those of its parts."""
    whole = word.strip("_")
    parts = _PARTS.findall(whole) if len(whole) <= LONGEST else []
    terms = [whole, *parts] if len(parts) > 1 else [whole]
    folded = (_fold(term) for term in terms)
    return tuple(_stem(term)[:LONGEST] for term in folded if term and term not in _STOP_WORDS)


def _pairs(run: str) -> list[str]:
    """Each character of the run, marks included, and each two in a row."""
    clusters = [_fold(cluster)[:LONGEST] for cluster in _CLUSTERS.findall(run)]
    return clusters + [(left + right)[:LONGEST] for left, right in pairwise(clusters)]


def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFKC", _LATIN_ACCENTS.sub("", folded))


def _stem(word: str) -> str:
    # A Stemmer keeps state while it works, so each thread has its own; words are remembered for all of them, above.
    if not hasattr(_stemmers, "english"):
        _stemmers.english = Stemmer.Stemmer("english", maxCacheSize=0)
    stem: str = _stemmers.english.stemWord(word)
    return stem
