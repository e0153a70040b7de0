"""The analysis: what must be found is found, and tokens are what the full-text index takes them for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lancedb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.analysis import ANALYSER, LONGEST, analyse
from kb.store.upkeep import whole_words

TEXTS = [
    "getHTTPResponse max_seq_length and or not",
    "日本語のテキスト データ",
    "ภาษาไทยที่นี่",
    "हिन्दी में लिखा",
    "O'Reilly C++ 3.11 a" + "b" * 100,
    "한국어 문장 Ünïcode Ελληνικά русский العربية",
    'AND OR NOT NEAR * ? : "x" (y) ^z ~w +p -q',
    "x² ½ ① ⅷ",
    "emoji 😀 zero\u200bwidth nb\u00a0space ideographic\u3000space",
]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("retry", "It retries after the first failure."),
        ("CAFÉ", "cafe"),
        ("cafe", "Cafe\u0301 and café"),
        ("ﬁle", "file"),
        ("STRASSE", "Straße"),
        ("istanbul", "İstanbul"),
        ("１２３", "123"),
        ("response", "def getHTTPResponse(self):"),
        ("getHTTPResponse", "gethttpresponse"),
        ("length", "max_seq_length = 256"),
        ("max_seq_length", "the MAX_SEQ_LENGTH of it"),
        ("init", "__init__"),
        ("PEP", "all accepted PEPs"),
        ("sha", "sha256"),
        ("本語", "日本語のテキスト"),
        ("水", "飲料水です"),
        ("データ", "データベース"),
        ("ไทย", "ภาษาไทย"),
        ("한국어", "한국어를"),
        ("हिन्दी", "हिन्दी में"),
    ],
)
def test_query_shares_a_token_with_the_text(query: str, text: str) -> None:
    assert set(analyse(query)) & set(analyse(text))


@given(st.text(st.characters(max_codepoint=127)), st.text(), st.sampled_from(" \n\t\u00a0"))
def test_ascii_and_white_space_change_nothing(plain: str, text: str, space: str) -> None:
    assert analyse(f"{plain}{space}{text}") == [*analyse(plain), *analyse(text)]
    # Full-width characters take the way of all Unicode, and are the same words.
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in plain)
    assert analyse(wide) == analyse(plain)


@pytest.mark.parametrize(("word", "other"), [("हिन्दी", "हिन्दु"), ("resume", "presume"), ("pep", "per"), ("й", "и")])
def test_different_words_share_none(word: str, other: str) -> None:
    assert not set(analyse(word)) & set(analyse(other))


def test_an_identifier_counts_as_itself_and_its_parts() -> None:
    assert analyse("parseJSONBody") == ["parsejsonbodi", "pars", "json", "bodi"]
    assert analyse("PEPs") == ["pep"]
    assert analyse("_private") == ["privat"]


def test_function_words_count_for_nothing() -> None:
    assert analyse("What is it that they don't do with the IS?") == []


def test_repeats_and_order_are_kept() -> None:
    assert analyse("blue red blue") == ["blue", "red", "blue"]


@given(st.text())
def test_tokens_are_short_and_without_white_space(text: str) -> None:
    for token in analyse(text):
        assert 0 < len(token) <= LONGEST
        assert token.split() == [token]


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_lines_are_analysed_apart(above: str, below: str) -> None:
    assert analyse(f"{above}\n{below}") == analyse(above) + analyse(below)


def test_the_longest_inputs_are_taken_whole() -> None:
    assert analyse("a" * 2_000_000) == ["a" * LONGEST]
    assert len(analyse("字" * 10_000)) == 19_999
    assert max(map(len, analyse("ä\u0323" * 100_000))) <= LONGEST


def test_threads_agree() -> None:
    words = [f"Running{n} connections{n} happily" for n in range(2_000)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(analyse, words)) == [analyse(word) for word in words]


def test_the_analyser_names_what_shapes_it() -> None:
    assert "snowball" in ANALYSER
    assert "unicode" in ANALYSER


def test_every_token_survives_the_full_text_index(tmp_path: Path) -> None:
    analysed = [analyse(text) for text in TEXTS]
    rows = [{"row": row, "tokens": " ".join(tokens)} for row, tokens in enumerate(analysed)]
    table = lancedb.connect(tmp_path).create_table("chunks", rows)
    table.create_index("tokens", config=whole_words())

    def rows_with(query: list[str]) -> set[int]:
        found = table.search(" ".join(query), query_type="fts").limit(100).select(["row", "_score"]).to_list()
        return {row["row"] for row in found}

    for token in {token for tokens in analysed for token in tokens}:
        assert rows_with([token]) == {row for row, tokens in enumerate(analysed) if token in tokens}
    either = analysed[0] + analysed[1] + analysed[6]
    assert rows_with(either) == {row for row, tokens in enumerate(analysed) if set(tokens) & set(either)}
