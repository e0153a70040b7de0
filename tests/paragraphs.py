"""Paragraphs and documents for random histories: few enough to meet again, of all the kinds that matter."""

import random

from hypothesis import strategies as st

_WORDS = """
alpha beta gamma delta refund period customer returns goods thirty days written notice épée naïve the of and 返品 期間
maxTokens HTTPResponse x1 42 don't
"""
_MARKED = [
    "# Refunds",
    "## Period",
    "Period\n======",
    "- one\n- two, refund\n- three",
    "```\ndef refund(days):\n    return days\n```",
    "| a | b |\n|---|---|\n| refund | 1 |",
    "the of and",
    "返品期間は三十日です。返品は無料です。",
    "line one\r\nline two 👩‍👩‍👧 'quoted' -- \\ %x",
    "refund refund refund",
]


def _plain() -> list[str]:
    chance, words = random.Random(20), _WORDS.split()
    lengths = [3, 8, 15, 25, 40, 40, 60, 60, 80, 110, 200]
    return [" ".join(chance.choices(words, k=length)) + "." for length in lengths * 2]


paragraphs = st.sampled_from(_MARKED + _plain())
documents = st.lists(paragraphs, min_size=1, max_size=9)


def joined(document: list[str]) -> str:
    return "\n\n".join(document)


def edited(document: list[str], at: int, cut: int, paragraph: str | None) -> list[str]:
    """With `cut` paragraphs less at a place, and a new one there if one is given; never empty."""
    at %= len(document) + 1
    return [*document[:at], *([paragraph] if paragraph else []), *document[at + cut :]] or document
