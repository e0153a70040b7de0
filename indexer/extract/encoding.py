"""Bytes to text without loss: marked, strict or declared encodings, then a guess on good evidence, else a refusal."""

import codecs
import re

from indexer.extract.declared import declared
from indexer.extract.guess import guess
from indexer.extract.plausible import controls, plausible
from kb.errors import ExtractionError

# The marks of UTF-32 begin with those of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHIFTED = re.compile(rb"\x1b\$[@AB(]|\x1b\([JI]")
_CONTROL_SHARE = 0.02
_CHECKED_CHARACTERS = 65536


def decode(content: bytes, media_type: str | None = None) -> str:
    """The text, without its byte order mark. Raises ExtractionError rather than lose or invent a character."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _marked(content[len(mark) :], name)
    text = _strict(content, "utf-8")
    if text is not None and "\0" not in text:
        return _seven_bit(content, text) if _SHIFTED.search(content) else _uncontrolled(text)
    return _legacy(content, media_type)


def binary(content: bytes) -> bool:
    """Whether the bytes are plainly no text in any encoding: NULs or many control characters, and no sign of UTF-16."""
    if content.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    if b"\0" in content:
        return _wide(content) is None
    return controls(content[:_CHECKED_CHARACTERS].decode("latin-1").translate(_HIGH_TO_SPACE)) > _allowed(len(content))


_HIGH_TO_SPACE = dict.fromkeys(range(0x80, 0x100), " ")


def _allowed(length: int) -> float:
    return min(length, _CHECKED_CHARACTERS) * _CONTROL_SHARE


def _marked(content: bytes, name: str) -> str:
    text = _strict(content, name)
    if text is None:
        raise _undecodable(f"it is marked as {name.upper()} but holds bytes that are not")
    return text


def _strict(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except (UnicodeDecodeError, LookupError):
        return None


def _seven_bit(content: bytes, text: str) -> str:
    """ISO-2022 hides Japanese and Korean behind escapes in what is valid ASCII."""
    for name in ("iso2022_jp", "iso2022_jp_2", "iso2022_kr"):
        found = _strict(content, name)
        if found is not None:
            return found
    return _uncontrolled(text)


def _uncontrolled(text: str) -> str:
    if controls(text) > max(_allowed(len(text)), 1):
        raise _undecodable("it holds more control characters than a text does")
    return text


def _legacy(content: bytes, media_type: str | None) -> str:
    if b"\0" in content:
        text = _wide(content)
        if text is None:
            raise _undecodable("it holds NUL bytes")
        return text
    _refuse_broken_utf8(content)
    for name in declared(content, media_type):
        text = _strict(content, name)
        if text is not None and plausible(text[:_CHECKED_CHARACTERS]):
            return text
    _refuse_ebcdic(content)
    return _guessed(content)


def _guessed(content: bytes) -> str:
    name = guess(content)
    text = _strict(content, name) if name else None
    if text is None or controls(text):
        raise _undecodable("its encoding cannot be told with confidence")
    return text


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: plausible in one byte order alone, with a character that has a NUL for its upper byte."""
    if len(content) % 2:
        return None
    texts = [text for name in ("utf-16-le", "utf-16-be") if (text := _strict(content, name)) and _is_wide(text)]
    return texts[0] if len(texts) == 1 else None


def _is_wide(text: str) -> bool:
    return "\0" not in text and min(text) <= "\xff" and plausible(text[:_CHECKED_CHARACTERS])


def _refuse_broken_utf8(content: bytes) -> None:
    """A text that is UTF-8 but for a few bytes would be read as gibberish in any other encoding."""
    sample = content[:_CHECKED_CHARACTERS]
    lenient = sample.decode("utf-8", errors="replace")
    broken = lenient.count("\ufffd")
    sound = sum(1 for character in lenient if character > "\x7f") - broken
    if sound >= 2 and sound >= broken:
        raise _undecodable("it is UTF-8 but for some invalid bytes")


def _refuse_ebcdic(content: bytes) -> None:
    """EBCDIC's code pages differ in `[ ] ! | ^` alone, so nothing tells them apart."""
    sample = content[:_CHECKED_CHARACTERS]
    if sample.count(b"\x40") * 20 < len(sample) or re.search(rb"[a-z ]{4}", sample):
        return
    text = sample.decode("cp037")
    if sum(
        character.isascii() and (character.isalnum() or character in " \r\n\t,.") for character in text
    ) > 0.85 * len(text):
        raise _undecodable("it looks like EBCDIC, whose code pages cannot be told apart")


def _undecodable(why: str) -> ExtractionError:
    return ExtractionError("undecodable", f"not read as text: {why}; save it as UTF-8")
