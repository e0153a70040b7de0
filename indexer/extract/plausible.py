"""Whether a decoded text could have been written: what no writer does, a wrong code page does at once."""

import re
import unicodedata

# All but tab, line feed, vertical tab, form feed, return, end of file, escape, next line.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f-\x84\x86-\x9f]")
_TYPOGRAPHY = frozenset("\xa0\xad–—―‘’‚“”„†‡•…‰‹›€£¥¢¤©®™§¶°±·×÷«»¡¿ªº¹²³¼½¾µ¬¦´¨¸¯´΄΅№―→←↑↓")
_JOINS_LETTERS = frozenset("\xad’·'´ªº")
_MEASURES = frozenset("±×÷°§¶µ¬¦¨¯¼½¾¿¡«")
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC", "BOPOMOFO")
_TOLERATED = 0.02


def controls(text: str) -> int:
    """How many characters are of the kind that no text holds."""
    return len(_CONTROL.findall(text))


def telling_words(text: str) -> set[str]:
    """The different words that tell something of the encoding: those that are not ASCII."""
    return {word for word in text.split() if not word.isascii()}


def plausible(text: str) -> bool:
    """False where the text holds control characters, or more than a few words that no script or spelling allows."""
    if controls(text):
        return False
    words = telling_words(text)
    wrong = sum(1 for word in words if not _spelt(word))
    return wrong <= len(words) * _TOLERATED


def _spelt(word: str) -> bool:
    return all(_fits(*three) for three in zip(" " + word, word, word[1:] + " ", strict=False))


def _fits(before: str, letter: str, after: str) -> bool:
    """Whether a character may stand between its neighbours; ASCII always may."""
    if letter.isascii():
        return True
    if letter in _TYPOGRAPHY:
        return letter in _JOINS_LETTERS or not before.isalpha() or not (letter in _MEASURES or after.isalpha())
    script = _script(letter)
    if script is None:
        return False
    if script == "EAST ASIAN":
        return True
    return all(_agree(letter, script, other) for other in (before, after)) and not _shouts(before, letter, after)


def _agree(letter: str, script: str, other: str) -> bool:
    if other.isdigit():
        return False
    return not other.isalpha() or _script(other) == script


def _shouts(before: str, letter: str, after: str) -> bool:
    """A capital inside a word of small letters, or a small letter inside one of capitals."""
    if letter.isupper():
        return before.islower() or (before.isupper() and after.islower())
    return letter.islower() and before.isupper() and after.isupper()


def _script(character: str) -> str | None:
    """The script of a letter or mark; None for what is neither."""
    if unicodedata.category(character)[0] not in "LM":
        name = unicodedata.name(character, "")
        return "EAST ASIAN" if name.startswith(_EAST_ASIAN) else None
    name = unicodedata.name(character, "")
    if name.startswith(_EAST_ASIAN):
        return "EAST ASIAN"
    return name.split(" ", 1)[0] if name else None
