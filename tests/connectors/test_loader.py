"""Loaders: what their documents are called, how they are told again, and what is said of those that cannot be."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.loader import LoaderConnector, LoaderOptions
from connectors.protocol import Entry
from kb.errors import DocumentGone, ExtractionError, SourceUnavailable

MODULE = """
from types import SimpleNamespace as Document

class Loader:
    def __init__(self, documents=()):
        self.documents = documents

    def lazy_load(self):
        for text, metadata, own in self.documents:
            yield Document(page_content=text, metadata=metadata, id=own)

class Reader:
    def lazy_load_data(self, **arguments):
        raise NotImplementedError

    def load_data(self, documents):
        return [Document(get_content=lambda text=text: text, metadata=metadata, doc_id=own)
                for text, metadata, own in documents]

def made(**arguments):
    return Loader(**arguments)
"""

Make = Callable[..., LoaderConnector]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes connectors for loaders of a module of the test's own."""

    def make(source: str = MODULE, loader: str = "ours:Loader", *, max_bytes: int = 2**20, **options: Any) -> Any:
        (tmp_path / "ours.py").write_text(source)
        asked = LoaderOptions(loader, directory=tmp_path, **options)
        return LoaderConnector(asked, workspace=tmp_path / "workspace", max_bytes=max_bytes)

    return make


def document(text: str = "text", own: str | None = None, **metadata: object) -> list[Any]:
    return [text, metadata, own]


def loaded(connector: LoaderConnector) -> dict[str, tuple[str, Mapping[str, str]]]:
    fetched = {entry.uri: connector.fetch(entry) for entry in connector.poll(None).entries}
    return {uri: (one.content.decode(), one.metadata) for uri, one in fetched.items()}


def names(make: Make, *documents: object, **options: Any) -> list[str]:
    return list(loaded(make(arguments={"documents": documents}, **options)))


def refusal(make: Make, *documents: object, **options: Any) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        make(arguments={"documents": documents}, **options).poll(None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"loader": "ours:Loader", "arguments": {"documents": [document("one", source="a", n=1)]}},
        {"loader": "ours.Loader", "arguments": {"documents": [document("one", source="a", n=1)]}},
        {"loader": "ours:made", "arguments": {"documents": [document("one", source="a", n=1)]}},
        {"loader": "ours:Reader", "load_arguments": {"documents": [document("one", source="a", n=1)]}},
    ],
)
def test_either_communitys_loaders_are_known_by_their_methods(make: Make, asked: dict[str, Any]) -> None:
    assert loaded(make(**asked)) == {"a": ("one", {"source": "a", "n": "1"})}


def test_the_first_key_there_is_names_a_document(make: Make) -> None:
    every = {"source": "s", "id": "i", "doc_id": "d", "url": "u", "file_path": "f", "page_id": "p"}
    documents = []
    while every:
        documents.append(document(own="own", **every))
        del every[next(iter(every))]
    documents += [document(own="own"), document(source="", id=None, url=" ", file_path="last"), document(id=7)]
    assert names(make, *documents) == sorted(["s", "i", "d", "u", "f", "p", "own", "last", "7"])


def test_the_keys_that_are_asked_for_name_a_document(make: Make) -> None:
    documents = [document(source="x", channel="a", at={"n": 1}), document(source="x", channel="b#c", at={"n": 2})]
    assert names(make, *documents, id=("channel", "at.n")) == ["a#1", "b%23c#2"]
    assert names(make, *documents, id=("channel",)) == ["a", "b#c"]
    assert names(make, document(own="1f9a3c5e-0000-4000-8000-000000000001", source="x"), id=("@id",)) == [
        "1f9a3c5e-0000-4000-8000-000000000001"
    ]


@pytest.mark.parametrize(
    ("one", "asked", "words"),
    [
        (document(), {}, "document 2 has no id and none of source, id, "),
        (document(colour="red"), {}, "give id=KEY, one of its metadata's keys: colour"),
        (document(own="1f9a3c5e-0000-4000-8000-000000000001"), {}, "looks made up at random"),
        (document(own="1f9a3c5e-0000-1000-8000-000000000001", team="x"), {}, "keys: team, or id=@id if its own"),
        (
            document(source="a"),
            {"id": ("nr",)},
            "document 2 has no nr; give id=KEY, one of its metadata's keys: source",
        ),
        (document(source="a"), {"id": ("@id",)}, "document 2 has no @id"),
    ],
)
def test_what_has_no_lasting_name_makes_the_source_unavailable(
    make: Make, one: list[Any], asked: dict[str, Any], words: str
) -> None:
    first = document(own="first", source="first", nr=1)
    assert words in refusal(make, first, one, **asked)


def test_an_own_id_that_is_made_from_a_name_lasts(make: Make) -> None:
    lasting = ["1f9a3c5e-0000-5000-8000-000000000001", "1f9a3c5e-0000-3000-8000-000000000001", "page 12"]
    assert names(make, *(document(own=own) for own in lasting)) == sorted(lasting)


def test_documents_of_one_name_are_one(make: Make) -> None:
    pages = [document(f"page {n}", source="a.pdf", page=n, title="A") for n in (10, 2, 1)]
    rows = [document(f"row {n}", source="b.csv", row=n) for n in (2, 1)]
    half = [document("x", source="c", page="1"), document("", source="c"), document("y", source="c", page="0")]
    assert loaded(make(arguments={"documents": [*pages, *rows, *half]})) == {
        "a.pdf": ("page 1\n\npage 2\n\npage 10", {"source": "a.pdf", "title": "A"}),
        "b.csv": ("row 2\n\nrow 1", {"source": "b.csv"}),
        "c": ("x\n\n\n\ny", {"source": "c"}),
    }


def test_metadata_is_text_by_flat_keys_and_the_same_at_every_load(make: Make) -> None:
    source = (
        MODULE
        + """
import datetime, enum, pathlib
class Thing: pass
class Colour(enum.Enum): RED = 1
class Odd(Loader):
    def lazy_load(self):
        yield Document(page_content="", id=None, metadata={
            "source": pathlib.Path("/x/y"), "n": 1, "f": 0.5, "yes": True, "none": None,
            "list": [1, "é", {"b": 2, "a": 1}], "odd": "\\ud800", "bytes": b"x",
            "set": {f"{n}" for n in range(4)}, "in": {"a": {"b": 1}}, "day": datetime.date(2020, 1, 2), 3: "three",
            "at": datetime.datetime(2020, 1, 2, 3), "thing": Thing(), "colour": Colour.RED,
        })
"""
    )
    connector = make(source, "ours:Odd")
    assert loaded(connector) == {
        "/x/y": (
            "",
            {
                "source": "/x/y", "n": "1", "f": "0.5", "yes": "true", "list": '[1, "é", {"a": 1, "b": 2}]',
                "set": '["0", "1", "2", "3"]', "in.a.b": "1", "day": "2020-01-02", "3": "three",
                "at": "2020-01-02T03:00:00", "thing": "<ours.Thing object>", "colour": "Colour.RED", "bytes": "b'x'",
                "odd": "?",
            },
        )
    }  # fmt: skip
    assert connector.poll(None) == make(source, "ours:Odd").poll(None)


def stamps(connector: LoaderConnector) -> list[str]:
    return [entry.stamp for entry in connector.poll(None).entries]


def test_a_change_is_another_text_or_other_metadata_that_is_not_ignored(make: Make) -> None:
    def stamp(text: str, metadata: dict[str, object], **asked: Any) -> str:
        (found,) = stamps(make(arguments={"documents": [[text, {"source": "a", **metadata}, None]]}, **asked))
        return found

    first = stamp("x", {"n": 1, "seen": {"at": 1}})
    assert first == stamp("x", {"n": 1, "seen": {"at": 1}})
    assert first != stamp("y", {"n": 1, "seen": {"at": 1}})
    assert first != stamp("x", {"n": 1, "seen": {"at": 2}})
    assert first != stamp("x", {"n": 1, "seen": {"at": 1}}, media_type="text/markdown")
    ignoring = {"ignore": ("seen",)}
    assert stamp("x", {"n": 1, "seen": {"at": 1}}, **ignoring) == stamp("x", {"n": 1, "seen": {"at": 2}}, **ignoring)
    assert stamp("x", {"n": 1}, **ignoring) != stamp("x", {"n": 1, "seenat": 2}, **ignoring)


@pytest.mark.parametrize(
    ("name", "asked", "media_type"),
    [
        ("a.md", None, "text/plain"),
        ("a", None, "text/plain"),
        ("x/a.PDF", None, "text/markdown"),
        ("https://example.org/a.html?b=c.d#e", None, "text/markdown"),
        ("https://example.org/a?b=c.pdf", None, "text/plain"),
        ("a.pdf", "text/x-rst", "text/x-rst"),
    ],
)
def test_what_was_converted_is_no_longer_of_its_names_kind(
    make: Make, name: str, asked: str | None, media_type: str
) -> None:
    connector = make(arguments={"documents": [document(source=name)]}, media_type=asked)
    assert connector.fetch(Entry(name, "")).media_type == media_type


def test_names_are_selected_by_patterns(make: Make) -> None:
    documents = [document(source=name) for name in ("a.md", "b.txt", "c/d.md")]
    assert names(make, *documents, include=("*.md",), exclude=("/c/",)) == ["a.md"]


def test_nothing_is_an_empty_source(make: Make) -> None:
    listing = make().poll(None)
    assert (listing.entries, listing.removed) == ((), None)


def test_what_is_too_large_is_not_kept_but_listed(make: Make) -> None:
    documents = [document("é" * 50, source="fits"), document("é" * 51, source="large")]
    documents += [document("1" * 50, source="joined", page=page) for page in (1, 2)]
    connector = make(arguments={"documents": documents}, max_bytes=100)
    fits, joined, large = connector.poll(None).entries
    assert len(connector.fetch(fits).content) == 100
    for entry in (joined, large):
        with pytest.raises(ExtractionError, match="102 bytes, more than the 100") as caught:
            connector.fetch(entry)
        assert caught.value.reason == "too large"


def test_reading_needs_no_listing_and_a_closed_connector_can_be_used_again(make: Make, tmp_path: Path) -> None:
    connector = make(arguments={"documents": [document("x", source="a")]})
    assert connector.fetch(Entry("a", "")).content == b"x"
    connector.close()
    assert connector.fetch(Entry("a", "")).content == b"x"
    with pytest.raises(DocumentGone, match="b is not among"):
        connector.fetch(Entry("b", ""))
    assert list((tmp_path / "workspace" / "loader").iterdir()) == []


def test_a_loader_that_failed_is_not_asked_again_for_each_document(make: Make, tmp_path: Path) -> None:
    counting = "def loader():\n    open('count', 'a').write('.')\n    raise ValueError('no')"
    connector = make(counting, "ours:loader")
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="ValueError: no"):
            connector.fetch(Entry("a", ""))
    assert (tmp_path / "count").read_text() == "."
    with pytest.raises(SourceUnavailable, match="ValueError: no"):
        connector.poll(None)
    assert (tmp_path / "count").read_text() == ".."


def test_a_urls_user_and_password_are_not_kept(make: Make) -> None:
    documents = [document(source="https://me:s3cret@example.org/a?b=c", link="see http://me@x/ and a@b")]
    address = "https://example.org/a?b=c"
    assert loaded(make(arguments={"documents": documents})) == {
        address: ("text", {"source": address, "link": "see http://x/ and a@b"})
    }


def test_texts_that_are_no_unicode(make: Make) -> None:
    documents = [document("caf\udce9", source="caf\udce9\n"), document("a\ud835b\udce9", source="b\ud835")]
    connector = make(arguments={"documents": documents})
    contents = {entry.uri: connector.fetch(entry).content for entry in connector.poll(None).entries}
    assert contents == {"caf%E9%0A": b"caf\xe9", "b\ufffd": "a\ufffdb\ufffd".encode()}


def test_a_variable_that_is_not_set_is_told(make: Make) -> None:
    with pytest.raises(SourceUnavailable, match=r"`arguments` is \$\{ALL\}"):
        make(arguments="${ALL}").poll(None)
