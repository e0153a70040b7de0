"""Which legacy code page bytes are in, or that it cannot be told: models propose, spelling and evidence decide."""

import re

from indexer.extract.plausible import plausible, telling_words

# How common each code page is among files that declare none, against Windows-1252. Measured on the Universal
# Declaration of Human Rights in 30 languages: without it rare DOS and Mac pages win over common ones in short texts.
_PRIORS = {"cp1252": 1.0, "cp1250": 0.8, "cp1251": 0.8, "cp1253": 0.8, "cp1254": 0.8, "cp1255": 0.8, "cp1256": 0.8}
_PRIORS |= {"cp1257": 0.8, "cp874": 0.8, "iso8859-2": 0.8, "iso8859-7": 0.7, "koi8-r": 0.7, "koi8-u": 0.6}
_PRIORS |= {"cp932": 0.8, "gb18030": 0.8, "big5hkscs": 0.8, "cp949": 0.8, "euc-jp": 0.8, "cp1258": 0.5, "cp866": 0.5}
_PRIORS |= {"iso8859-15": 0.5, "iso8859-5": 0.3, "mac-roman": 0.2, "cp850": 0.2, "cp852": 0.2, "cp437": 0.2}
_RENAMED = {"euc_jis_2004": "euc-jp"}

_SAMPLE_BYTES = 65536
_ENOUGH = 3
_LEAST_CONFIDENCE = 0.01

Candidate = tuple[float, str, str]
"""Weight, encoding, the sample's text."""


def guess(content: bytes) -> str | None:
    """The encoding, where the evidence is good: the best plausible reading beats the next different one clearly."""
    sample = _sample(content)
    readings = _readings(sample)
    if not readings or readings[0][0] < _LEAST_CONFIDENCE:
        return None
    best = readings[0]
    runner_up = readings[1][0] if len(readings) > 1 else 0.0
    return best[1] if best[0] >= runner_up * _margin(best) else None


def _sample(content: bytes) -> bytes:
    if len(content) <= _SAMPLE_BYTES:
        return content
    # ASCII lines tell nothing of the code page.
    telling = b"".join(line for line in content.splitlines(keepends=True) if not line.isascii())
    high = re.search(rb"[\x80-\xff]", telling)
    start = max(0, high.start() - _SAMPLE_BYTES // 2) if high else 0
    return telling[start : start + _SAMPLE_BYTES]


def _readings(sample: bytes) -> list[Candidate]:
    """One candidate for each different text, the weightiest first."""
    import chardet

    found: dict[str, Candidate] = {}
    for result in chardet.detect_all(sample, ignore_threshold=True, compat_names=False, include_encodings=_PRIORS):
        name = _RENAMED.get(result["encoding"] or "", result["encoding"])
        text = _decoded(sample, name)
        if name is None or text is None or not plausible(text):
            continue
        weight = result["confidence"] * _PRIORS.get(name, 0.1)
        if text not in found or weight > found[text][0]:
            found[text] = (weight, name, text)
    return sorted(found.values(), reverse=True)


def _decoded(sample: bytes, name: str | None) -> str | None:
    if name is None:
        return None
    # A sample may end inside a character of several bytes.
    for cut in range(4):
        try:
            return sample[: len(sample) - cut].decode(name)
        except UnicodeDecodeError:
            if len(sample) < _SAMPLE_BYTES:
                return None
        except LookupError:
            return None
    return None


def _margin(best: Candidate) -> float:
    """How many times the next reading's weight is asked for: a word or two prove little, most of all for rare pages."""
    _, name, text = best
    if len(telling_words(text)) >= _ENOUGH or len({c for c in text if c > "\u2e80"}) >= 2 * _ENOUGH:
        return 1.15
    return 1.5 if name == "cp1252" else 3.0
