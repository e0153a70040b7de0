"""Formats are recognised by what they are; what extraction makes of each; what it refuses."""

import io
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.document import Extracted
from indexer.extract import EXTRACTOR, NotADocument, extract
from kb.errors import ExtractionError


def refusal(content: bytes, uri: str, **options: int) -> str:
    with pytest.raises(ExtractionError) as caught:
        extract(content, uri, **options)
    return caught.value.reason


def outcome(content: bytes, uri: str) -> str:
    """The text, or why there is none."""
    try:
        return extract(content, uri).text
    except NotADocument as error:
        return str(error)
    except ExtractionError as error:
        return error.reason


def kinds(document: Extracted) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, document.text[block.start : block.end]) for block in document.blocks]


def packed(**members: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(name.replace("__", "/"), content)
    return target.getvalue()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"), min_size=1))
@example("line\r\nother\rthird\n")
@example("a\u2028b\x85c\ufeffd")
def test_text_is_the_decoded_file_to_the_character(text: str) -> None:
    if not text.strip() or text.startswith("\ufeff"):
        return
    for uri in ("a.txt", "a.md", "a.rst", "a.py", "a.csv", "a.json"):
        document = extract(text.encode("utf-8"), uri)
        assert document.text == text
        assert all(text[block.start : block.end].strip() for block in document.blocks)


def test_large_text_of_one_line_is_whole() -> None:
    line = "word" * 500_000
    document = extract(line.encode(), "big.txt")
    assert document.text == line


def test_markdown_has_its_headings_and_title() -> None:
    document = extract(b"intro\n\n## Second\n\n# First #\n\ntext\n", "a.md")
    assert document.title == "First"
    assert [block.level for block in document.blocks if block.kind == "heading"] == [2, 1]
    assert document.media_type == "text/markdown"


def test_csv_is_one_table_at_its_exact_place() -> None:
    document = extract(b"\na,b\n1,2\n", "a.csv")
    assert kinds(document) == [("table", 0, "a,b\n1,2")]


@pytest.mark.parametrize(
    ("content", "uri", "media_type", "expected"),
    [
        (b"x", "a.md", None, "text/markdown"),
        (b"x", "A.RST", None, "text/x-rst"),
        (b"x", "https://host/page.md?version=1.pdf", None, "text/markdown"),
        (b"x", "Makefile", None, "text/plain"),
        (b"x", "notes", None, "text/plain"),
        (b"<!DOCTYPE html><p>hello</p>", "notes", None, "text/html"),
        (b"<p>hello</p>", "https://host/page.php", "text/html; charset=utf-8", "text/html"),
        (b"x", "a.py", "text/plain", "text/x-python"),
        (b"From: a@example.org\nTo: b@example.org\nSubject: s\n\nbody", "cur/1234:2,S", None, "message/rfc822"),
        (b"<html><body>exported</body></html>", "report.xls", None, "text/html"),
        (b"plain words", "letter.doc", None, "text/plain"),
        (b"no headers here", "a.eml", None, "message/rfc822"),
    ],
)
def test_format_is_recognised(content: bytes, uri: str, media_type: str | None, expected: str) -> None:
    assert extract(content, uri, media_type).media_type == expected


def test_html_keeps_what_is_read() -> None:
    page = """<html><head><title>Refunds &amp; returns</title><style>p {color: red}</style></head><body>
      <script>var hidden = 1</script><h1>Refunds</h1><p>Paid in <b>30</b> days.</p><p>7</p><h2>Exceptions</h2>
      <ul><li>Vouchers</li></ul><table><tr><th>Country</th><th>Days</th></tr><tr><td>Norway</td><td>14</td></tr></table>
      <pre>kb  search</pre></body></html>"""
    document = extract(page.encode(), "a.html")
    assert kinds(document) == [
        ("heading", 1, "Refunds"),
        ("paragraph", 0, "Paid in 30 days."),
        ("paragraph", 0, "7"),
        ("heading", 2, "Exceptions"),
        ("list", 0, "Vouchers"),
        ("table", 0, "Country | Days\nNorway | 14"),
        ("code", 0, "kb  search"),
    ]
    assert document.title == "Refunds & returns"


@pytest.mark.parametrize("depth", [100, 300, 900])
def test_deep_html_is_whole_or_refused(depth: int) -> None:
    page = "<body>before" + "<div>" * depth + "deep words" + "</div>" * depth + "<p>after all</p></body>"
    assert outcome(page.encode(), "a.html") in ("before\n\ndeep words\n\nafter all", "corrupt")


def test_html_of_ten_megabytes_is_whole() -> None:
    page = "<body><p>" + "word " * 2_200_000 + "</p><p>last words</p></body>"
    text = extract(page.encode(), "a.html").text
    assert text.count("word ") + text.count("word\n") == 2_200_000
    assert text.endswith("last words")


def test_message_keeps_headers_body_and_names_of_attachments() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <a@example.org>", "b@example.org", "Größe"
    message.set_content("plain words")
    message.add_alternative("<p>rich words</p>", subtype="html")
    message.add_attachment(b"\0\1", maintype="application", subtype="zip", filename="prices.zip")
    document = extract(message.as_bytes(), "a.eml")
    assert document.title == "Größe"
    headers = "From: Ann <a@example.org>\nTo: b@example.org\nSubject: Größe"
    assert document.text == f"{headers}\n\nrich words\n\nAttachment: prices.zip (application/zip)"


def test_message_in_a_declared_code_page() -> None:
    head = b"Subject: s\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: 8bit\n\n"
    assert extract(head + "Привет".encode("koi8-r"), "a.eml").text.endswith("Привет")


def test_message_whose_only_body_is_an_empty_alternative_still_has_its_other() -> None:
    message = EmailMessage()
    message["Subject"] = "s"
    message.set_content("plain words")
    message.add_alternative("<p> </p>", subtype="html")
    assert extract(message.as_bytes(), "a.eml").text == "Subject: s\n\nplain words"


@pytest.mark.parametrize(
    ("content", "uri", "reason"),
    [
        (b"", "a.txt", "empty"),
        (b" \n\t\r\n", "a.md", "empty"),
        (b"\xff\xfe", "a.txt", "empty"),
        (b"<html><script>x()</script></html>", "a.html", "empty"),
        (b"<!-- nothing -->", "a.html", "empty"),
        (b"just words", "a.pdf", "corrupt"),
        (b"<html>404</html>", "a.docx", "corrupt"),
        (b"%PDF-1.7 and then nothing", "a.pdf", "corrupt"),
        (b"PK\x03\x04 broken", "a.docx", "corrupt"),
        (b"PK\x03\x04 broken", "a.zip", "corrupt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "a.doc", "corrupt"),
        (b"\x1f\x8b\x08 rest", "a.tar.gz", "unsupported"),
        (b"\x00\x01\x02\x03" * 50, "a.txt", "undecodable"),
        (b"one\xff\xfe two \x81 three", "a.txt", "undecodable"),
    ],
)
def test_refused(content: bytes, uri: str, reason: str) -> None:
    assert refusal(content, uri) == reason


def test_refuses_what_is_too_large() -> None:
    assert refusal(b"12345", "a.txt", limit_bytes=4) == "too large"
    assert extract(b"1234", "a.txt", limit_bytes=4).text == "1234"


@pytest.mark.parametrize(
    ("content", "uri"),
    [
        (b"\x89PNG\r\n\x1a\n rest", "logo.png"),
        (b"\x7fELF\x02\x01\x01\0\0", "program"),
        (bytes(range(256)) * 4, "blob.bin"),
        (packed(META_INF__MANIFEST_MF="x"), "library.jar"),
    ],
)
def test_skips_what_is_no_document(content: bytes, uri: str) -> None:
    with pytest.raises(NotADocument):
        extract(content, uri)


@settings(deadline=None, max_examples=50)
@given(
    st.binary(max_size=400),
    st.sampled_from(["", "%PDF-1.4\n", "PK\x03\x04", "{\\rtf1", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
)
def test_hostile_bytes_are_refused_in_words(noise: bytes, start: str) -> None:
    for uri in ("a.docx", "a.pdf", "a.eml", "a.html", "a.xls", "a.odt", "a.bin"):
        assert outcome(start.encode("latin-1") + noise, uri)


def test_extractor_names_what_shapes_the_text() -> None:
    assert all(name in EXTRACTOR for name in ("unstructured 0.", "pypdfium2 ", "chardet "))
