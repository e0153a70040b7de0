"""Loaders as both communities write them, on their own base classes; without a network, for none may be asked for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from crash_support import write

from connectors.loader import LoaderConnector, LoaderOptions
from kb.errors import SourceUnavailable

OFFLINE = """
import socket

def refuse(*arguments, **named):
    raise AssertionError("a network was asked for")

socket.socket.connect = socket.getaddrinfo = refuse
"""
LANGCHAIN = (
    OFFLINE
    + """
from langchain_core.document_loaders import BaseBlobParser, BaseLoader, Blob
from langchain_core.documents import Document

class Lazy(BaseLoader):
    def __init__(self, path):
        self.path = path
    def lazy_load(self):
        for number, line in enumerate(open(self.path)):
            yield Document(line.strip(), metadata={"source": self.path, "line": number, "page": number})

class Eager(Lazy):
    def load(self):
        return list(Lazy.lazy_load(self))
    lazy_load = BaseLoader.lazy_load

class Abstract(BaseLoader):
    pass

class Named(BaseLoader):
    def load(self):
        return [Document("x", id="a"), Document("y", id="b")]

class Parser(BaseBlobParser):
    def lazy_parse(self, blob):
        yield Document(blob.as_string(), metadata={"source": blob.source})

class Parsed(Lazy):
    def lazy_load(self):
        yield from Parser().lazy_parse(Blob.from_path(self.path))
"""
)
LLAMAINDEX = (
    OFFLINE
    + """
from llama_index.core import SimpleDirectoryReader
from llama_index.core.readers import StringIterableReader
from llama_index.core.readers.base import BasePydanticReader, BaseReader
from llama_index.core.schema import Document, TextNode

class Eager(BaseReader):
    def load_data(self, ids):
        return [Document(text=f"text {one}", id_=one, metadata={"team": "x"}) for one in ids]

class Lazy(BaseReader):
    def lazy_load_data(self, ids):
        for one in ids:
            yield TextNode(text=f"text {one}", metadata={"url": f"https://example.org/{one}"})

class Typed(BasePydanticReader):
    token: str
    def load_data(self):
        return [Document(text="typed", metadata={"page_id": "p1"})]
"""
)


def connector(place: Path, module: str, loader: str, **options: Any) -> LoaderConnector:
    (place / "community.py").write_text(module)
    asked = LoaderOptions(f"community:{loader}", directory=place, **options)
    return LoaderConnector(asked, workspace=place / "workspace")


def loaded(made: LoaderConnector) -> dict[str, tuple[str, Mapping[str, str]]]:
    fetched = {entry.uri: made.fetch(entry) for entry in made.poll(None).entries}
    return {uri: (one.content.decode(), one.metadata) for uri, one in fetched.items()}


@pytest.mark.parametrize(
    ("loader", "text", "metadata"),
    [("Lazy", "one\n\ntwo", {}), ("Eager", "one\n\ntwo", {}), ("Parsed", "one\ntwo\n", {})],
)
def test_langchains_loaders(tmp_path: Path, loader: str, text: str, metadata: dict[str, str]) -> None:
    write(tmp_path, {"a.txt": "one\ntwo\n"})
    path = str(tmp_path / "a.txt")
    made = connector(tmp_path, LANGCHAIN, loader, arguments={"path": path})
    assert loaded(made) == {path: (text, {"source": path, **metadata})}


def test_langchains_own_ids_and_abstract_loaders(tmp_path: Path) -> None:
    assert loaded(connector(tmp_path, LANGCHAIN, "Named")) == {"a": ("x", {}), "b": ("y", {})}
    with pytest.raises(SourceUnavailable, match=r"loader community:Abstract: .*Abstract does not implement lazy_load"):
        connector(tmp_path, LANGCHAIN, "Abstract").poll(None)


def test_llamaindexs_readers(tmp_path: Path) -> None:
    ids = {"load_arguments": {"ids": ["b", "a"]}}
    assert loaded(connector(tmp_path, LLAMAINDEX, "Eager", **ids)) == {
        "a": ("text a", {"team": "x"}),
        "b": ("text b", {"team": "x"}),
    }
    assert list(loaded(connector(tmp_path, LLAMAINDEX, "Lazy", **ids))) == [
        "https://example.org/a",
        "https://example.org/b",
    ]


def test_what_a_pydantic_reader_refuses_is_told_without_its_value(tmp_path: Path) -> None:
    made = connector(tmp_path, LLAMAINDEX, "Typed", arguments={"token": ["s3cret"]})
    with pytest.raises(SourceUnavailable, match="ValidationError: 1 validation error for Typed") as caught:
        made.poll(None)
    assert "s3cret" not in str(caught.value)


def test_llamaindexs_directories(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    write(notes, {"a.md": "# A\n\nalpha\n\n# B\n\nbeta\n", "sub/b.txt": "b", "c.html": "<p>c</p>"})
    options = {"arguments": {"input_dir": str(notes), "recursive": True}, "ignore": ("creation_date",)}
    made = connector(tmp_path, LLAMAINDEX, "SimpleDirectoryReader", **options)
    before = made.poll(None).entries
    assert [entry.uri for entry in before] == [str(notes / name) for name in ("a.md", "c.html", "sub/b.txt")]
    found = made.fetch(before[0])
    assert (b"alpha" in found.content, b"beta" in found.content) == (True, True)
    assert found.metadata["file_type"] == "text/markdown"
    assert "creation_date" not in found.metadata
    # Its documents have other random ids at every load; that changes nothing.
    write(notes, {"sub/b.txt": "changed"})
    os.unlink(notes / "c.html")
    after = made.poll(None).entries
    assert {one.uri for one in set(after) - set(before)} == {str(notes / "sub/b.txt")}
    assert {one.uri for one in before} - {one.uri for one in after} == {str(notes / "c.html")}


def test_llamaindexs_random_ids_name_nothing(tmp_path: Path) -> None:
    made = connector(tmp_path, LLAMAINDEX, "StringIterableReader", load_arguments={"texts": ["a", "b"]})
    with pytest.raises(SourceUnavailable, match=r"its document 1 has none of .* looks made up at random; give id=KEY"):
        made.poll(None)
