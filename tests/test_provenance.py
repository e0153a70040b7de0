"""Every hit can be checked: its text, its place, its source's bytes, at every version."""

import hashlib
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_support import QuickWriter, call, command, commit, git, sync, write

import kb
from indexer.creation import create
from kb.base import KnowledgeBase
from kb.nouns import Hit

QUERIES = ("alpha beta", "refund within thirty days", "día años naïve", "猫 emoji 🐈", "second page", "return value")

PLAIN = "# Title\r\n\r\nalpha beta with\r\nWindows line ends\r\n\r\n## Part\r\n\r\nrefund within thirty days\r\n"
EMOJI = "# Cats 🐈‍⬛\n\nThe emoji 🐈 stands outside the basic plane, 猫 does not.\n\n## Ünder\n\nnaïve café 🇩🇪 alpha\n"
SPANISH = "# Política\n\nDevolución: treinta días. Los años y el señor, ñandú.\n\n" + "El día y el niño, también.\n" * 5
CHAPTER = "# Chapter {0}\n\nalpha {0}\n\n## Section {0}\n\n" + "beta gamma delta. " * 60
LONG = "\n\n".join(CHAPTER.format(n) for n in range(9))

DOCUMENTS: dict[str, bytes] = {
    "windows.md": PLAIN.encode(),
    "bom.md": b"\xef\xbb\xbf" + EMOJI.encode(),
    "utf16.md": EMOJI.encode("utf-16"),
    "utf16be.txt": b"\xfe\xff" + SPANISH.encode("utf-16-be"),
    "cp1252.txt": SPANISH.replace("años", "años – “alpha” €").encode("cp1252"),
    "emoji.md": EMOJI.encode(),
    "long.md": LONG.encode(),
    "same.md": b"alpha beta\n\n---\n\n" * 40,
    "page.html": b"<html><title>Page</title><h1>Refunds</h1><p>refund within thirty days</p><p>alpha</p></html>",
    "table.csv": b"word,number\nalpha,1\nbeta,2\n",
}


def pdf(*pages: str) -> bytes:
    """A small PDF with a line of text on each page."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    font = 3 + 2 * len(pages)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        resources = f"<< /Font << /F1 {font} 0 R >> >>"
        media = "/MediaBox [0 0 612 792]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {media} /Resources {resources} /Contents {4 + 2 * n} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    out, offsets = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010} 00000 n \n" for offset in offsets).encode())
    out.write(f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


PAGES = ("The first page speaks of alpha.", "The second page speaks of beta.", "The third page speaks of refunds.")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in two states (versions 1 and 2) and a repository with four commits (versions 3 to 6)."""
    path = tmp_path_factory.mktemp("provenance")
    home = create(path / "home", "hashing:64")[0].path
    writer = QuickWriter(home)
    write(path / "docs", {**DOCUMENTS, "paper.pdf": pdf(*PAGES)})
    writer.add_source("docs", "folder", {"path": str(path / "docs")})
    sync(home)
    write(path / "docs", {"windows.md": PLAIN.replace("thirty", "forty").encode()})
    sync(home)
    for day in range(1, 5):
        code = f"def alpha():\n    return {day}\n"
        commit(path / "code", {"a.py": code, f"b{day}.md": f"# B\n\nbeta {day}\r\n"}, day)
    writer.add_source("code", "git", {"url": str(path / "code"), "history": "all"})
    sync(home)
    return path


@pytest.fixture(scope="module")
def base(place: Path) -> Iterator[KnowledgeBase]:
    with kb.open(place / "home") as opened:
        yield opened


def hits(base: KnowledgeBase) -> Iterator[tuple[int, Hit]]:
    for version in range(1, 7):
        for query in QUERIES:
            for exact in (False, True):
                for hit in base.search(query, as_of=version, k=30, exact=exact):
                    yield version, hit


def test_the_span_is_the_text(base: KnowledgeBase) -> None:
    checked = set()
    for version, hit in hits(base):
        where = hit.provenance
        document = base.document(f"{where.source}:{where.uri}", as_of=version)
        assert document.text[where.start : where.end] == hit.text != ""
        assert where.text_sha256 == hashlib.sha256(hit.text.encode()).hexdigest()
        assert hit.document_id == document.version.document_id
        assert where.content_sha256 == document.version.content_sha256
        checked |= {(version, place.uri) for place in (where, *hit.also)}
        for place in hit.also:
            assert base.document(f"{place.source}:{place.uri}", as_of=version).text[place.start : place.end] == hit.text
    assert {uri for _, uri in checked} >= {*DOCUMENTS, "paper.pdf", "a.py"}
    assert {version for version, _ in checked} == set(range(1, 7))


def test_the_life_span_holds_the_version(base: KnowledgeBase) -> None:
    for version, hit in hits(base):
        where = hit.provenance
        assert where.version == version
        assert where.since <= version
        assert where.until is None or version < where.until
        assert where.embedder == "hashing:64"
        assert where.fingerprint == base.show(version).snapshot.fingerprint


def test_the_bytes_are_the_folder_s(base: KnowledgeBase, place: Path) -> None:
    for version, hit in hits(base):
        where = hit.provenance
        if where.source != "docs":
            continue
        first = (where.uri, version) == ("windows.md", 1)
        content = PLAIN.encode() if first else (place / "docs" / where.uri).read_bytes()
        assert where.content_sha256 == hashlib.sha256(content).hexdigest()


def test_the_bytes_are_those_of_the_commit(base: KnowledgeBase, place: Path) -> None:
    seen = set()
    for _, hit in hits(base):
        where = hit.provenance
        if where.source == "code":
            show = ("git", "-C", str(place / "code"), "show", f"{where.source_revision}:{where.uri}")
            content = subprocess.run(show, capture_output=True, check=True).stdout
            assert where.content_sha256 == hashlib.sha256(content).hexdigest()
            seen.add(where.source_revision)
    assert seen == set(git(place / "code", "rev-list", "HEAD").split())


def test_an_unchanged_document_keeps_the_revision_that_brought_it(base: KnowledgeBase, place: Path) -> None:
    first = git(place / "code", "rev-list", "--reverse", "HEAD").split()[0]
    document = base.document("code:b1.md", as_of=6).version
    assert (document.since, document.source_revision) == (3, first)
    assert document.modified_at is not None
    assert document.modified_at.isoformat() == "2024-01-01T12:00:00+00:00"


@pytest.mark.parametrize("uri", [uri for uri in DOCUMENTS if uri.endswith((".md", ".txt"))])
def test_text_is_the_decoded_file(base: KnowledgeBase, place: Path, uri: str) -> None:
    """Offsets are those of the file that the user can open: line ends stay as they are."""
    content = (place / "docs" / uri).read_bytes()
    encoding = {"utf16.md": "utf-16", "utf16be.txt": "utf-16", "cp1252.txt": "cp1252"}.get(uri, "utf-8-sig")
    assert base.document(f"docs:{uri}").text == content.decode(encoding)


@pytest.mark.parametrize("uri", ["windows.md", "bom.md", "utf16.md", "cp1252.txt", "paper.pdf"])
@pytest.mark.parametrize("as_of", ["1", "head"])
def test_cat_prints_the_text_to_the_byte(base: KnowledgeBase, place: Path, uri: str, as_of: str) -> None:
    printed = call("--home", place / "home", "cat", f"docs:{uri}", "--as-of", as_of)
    assert printed.code == 0
    text = printed.out.decode()
    assert text == base.document(f"docs:{uri}", as_of=as_of).text
    for hit in base.search("alpha refund page", as_of=as_of, k=100, filters={"uri": [uri]}):
        assert text[hit.provenance.start : hit.provenance.end] == hit.text


def test_search_and_cat_of_the_command_agree(place: Path) -> None:
    query = ("search", "refund within thirty days", "--as-of", "1", "--json")
    found = json.loads(command(*query, home=place / "home").out)
    hit = next(hit for hit in found["hits"] if hit["provenance"]["uri"] == "windows.md" and "refund" in hit["text"])
    text = command("cat", "docs:windows.md", "--as-of", "1", home=place / "home").out.decode()
    assert text == PLAIN
    assert text[hit["provenance"]["start"] : hit["provenance"]["end"]] == hit["text"]


def test_pages(base: KnowledgeBase) -> None:
    """A hit in a PDF names the page that it begins on."""
    found = base.search("alpha beta refunds page", k=50, filters={"uri": ["paper.pdf"]})
    text = base.document("docs:paper.pdf").text
    assert [text.index(page) for page in PAGES] == sorted(text.index(page) for page in PAGES)
    for hit in found:
        (page,) = (n for n, words in enumerate(PAGES, 1) if hit.text.startswith(words[:10]))
        assert hit.provenance.page == page
    assert found


def test_sections(base: KnowledgeBase) -> None:
    for hit in base.search("alpha beta gamma delta", k=100, filters={"uri": ["long.md"]}):
        section = hit.provenance.section
        assert section[0].startswith("Chapter ")
        assert all(heading in base.document("docs:long.md").text for heading in section)
        numbers = {heading.split()[1] for heading in section}
        assert len(numbers) == 1
        before = base.document("docs:long.md").text[: hit.provenance.end]
        assert before.rfind(f"# {section[0]}\n") == before.rfind("# Chapter")


def test_repeated_passages_have_places_of_their_own(base: KnowledgeBase) -> None:
    found = base.search("alpha beta", k=100, exact=True, filters={"uri": ["same.md"]})
    places = [(hit.provenance.start, hit.provenance.end) for hit in found]
    assert len(places) == len(set(places)) == len({hit.chunk_id for hit in found})


def test_a_title_and_a_media_type_are_known(base: KnowledgeBase) -> None:
    facts = {document.uri: (document.title, document.media_type) for document in base.documents(source="docs")}
    assert facts["windows.md"] == ("Title", "text/markdown")
    assert facts["page.html"] == ("Page", "text/html")
    assert facts["paper.pdf"][1] == "application/pdf"
