"""The URIs by which agents name documents: every one comes back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.tools.place import Place, place

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@given(words, words, words)
def test_what_is_written_is_read(version: str, source: str, uri: str) -> None:
    written = Place(version, source, uri)
    assert place(str(written)) == written
    assert str(written).isascii()


@pytest.mark.parametrize(
    "text", ["", "kb:", "kb://", "kb://3", "kb://3/a", "kb://3//x", "kb://3/a/", "3/a/b", "kb://3/a/%ff"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no document"):
        place(text)
