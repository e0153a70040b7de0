"""The structural pieces of texts, well-formed and not."""

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import Block
from indexer.structure import Form, blocks

FORMS: tuple[Form, ...] = get_args(Form)
MARKUP = [
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\f",
    "\x85",
    " ",
    "    ",
    "\t",
    "#",
    "## a",
    "===",
    "---",
    "====",
    "```",
    "~~~~",
    "`",
]
MARKUP += [
    "- x",
    "1. y",
    "| a | b |",
    "+---+",
    "::",
    ".. code::",
    "word",
    "Word.",
    "PEP: 1",
    "def f():",
    ")",
    "é",
    "日本",
    "\x00",
]
texts = st.lists(st.one_of(st.sampled_from(MARKUP), st.text(max_size=5)), max_size=40).map("".join)


def seen(text: str, form: Form) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in blocks(text, form)]


def headings(text: str, form: Form) -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in blocks(text, form) if block.kind == "heading"]


@settings(deadline=None)
@given(texts, st.sampled_from(FORMS))
def test_blocks_are_in_order_and_leave_out_white_space_alone(text: str, form: Form) -> None:
    found = blocks(text, form)
    at = 0
    for block in found:
        assert at <= block.start < block.end
        assert not text[at : block.start].strip()
        assert text[block.start : block.end].strip()
        at = block.end
    assert not text[at:].strip()


@settings(deadline=None)
@given(texts, st.sampled_from(FORMS))
def test_headings_alone_have_levels(text: str, form: Form) -> None:
    assert all((block.level > 0) == (block.kind == "heading") for block in blocks(text, form))


def test_markdown_headings_of_both_sorts() -> None:
    text = "# One #\ntext\n## Two\n\nThree\n=====\n\nFour\n----\n#hashtag\n\n###### Six"
    assert headings(text, "markdown") == [(1, "One"), (2, "Two"), (1, "Three"), (2, "Four"), (6, "Six")]


def test_markdown_rules_and_lists_are_no_headings() -> None:
    assert headings("text\n\n---\n\n- item\n---\n", "markdown") == []


def test_markdown_headings_inside_fences_are_code() -> None:
    text = "~~~~ python\n# no heading\n\n```\n~~~\n~~~~\n# Heading"
    assert [kind for kind, _ in seen(text, "markdown")] == ["code", "heading"]


def test_a_fence_that_nothing_closes_does_not_swallow_the_rest() -> None:
    assert headings("```\ncode\n\n# Heading\n", "markdown") == [(1, "Heading")]


def test_markdown_front_matter_is_no_heading() -> None:
    assert seen("---\ntitle: x\n---\n# A\n", "markdown") == [("table", "---\ntitle: x\n---"), ("heading", "# A")]


def test_rst_levels_follow_the_order_of_appearance() -> None:
    text = "=====\nTitle\n=====\n\nA\n-\n\nB\n=\n\nC\n~\ntext\n\nD\n-\n"
    assert headings(text, "rst") == [(1, "Title"), (2, "A"), (3, "B"), (4, "C"), (2, "D")]


@settings(deadline=None)
@given(st.sampled_from("=-~^\"'"), st.sampled_from("=-~^\"'"))
def test_a_title_far_above_changes_levels_alone(first: str, second: str) -> None:
    above, below = f"Top\n{first * 4}\n\ntext\n\n", f"Alpha\n{second * 5}\n\ntext\n\nBeta\n----\n\nmore"

    def place(block: Block, shift: int) -> tuple[int, int, str, str]:
        return block.start - shift, block.end - shift, block.kind, block.title

    alone = [place(block, 0) for block in blocks(below, "rst")]
    assert [place(block, len(above)) for block in blocks(above + below, "rst")][2:] == alone


def test_rst_tables_and_transitions_are_no_titles() -> None:
    assert headings("=====  =====\nA      B\n=====  =====\n\n----\n\n+---+\n| a |\n+---+\n", "rst") == []


def test_rst_literal_blocks_are_code_until_the_indentation_ends() -> None:
    text = "Like this::\n\n    a = 1\n\n    b = 2\n\nText.\n\n    quoted\n"
    assert [kind for kind, _ in seen(text, "rst")] == ["paragraph", "code", "code", "paragraph", "paragraph"]


def test_a_pep_header_is_a_table() -> None:
    assert seen("PEP: 8\nTitle: Style\nStatus: Active\n\nText", "rst")[0][0] == "table"


def test_code_is_cut_before_what_stands_at_the_margin() -> None:
    text = "import os\n\n\ndef f(\n    a,\n\n):\n    b\n\n    c\n\n\nclass D:\n    e\n"
    starts = [piece.split("\n")[0] for _, piece in seen(text, "code")]
    assert starts == ["import os", "def f(", "class D:"]


@pytest.mark.parametrize(
    ("text", "kind"), [("- a\n- b", "list"), ("1. a", "list"), ("a | b\nc | d", "table"), ("a b", "paragraph")]
)
def test_kinds_by_their_look(text: str, kind: str) -> None:
    assert [block.kind for block in blocks(text, "text")] == [kind]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_offsets_are_exact_whatever_ends_the_lines(end: str) -> None:
    text = end.join(["\ufeffOne", "two ", "\f", "three", "", "", "four"])
    assert [piece for _, piece in seen(text, "text")] == [f"\ufeffOne{end}two", "three", "four"]


def test_fences_that_nothing_closes_are_read_once_each() -> None:
    text = "".join("`" * length + "\n" for length in range(400, 3, -1))
    found = blocks(text, "markdown")
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    assert found[-1].end == len(text) - 1
