"""Office documents: headings, lists, tables, pages, notes; and what hostile containers come to."""

import io
import zipfile

from indexer.document import Extracted
from indexer.extract import NotADocument, extract
from kb.errors import ExtractionError


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


def word_document() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("Refunds", level=1)
    document.add_paragraph("Refunds are paid within 30 days.")
    document.add_heading("Exceptions", level=2)
    document.add_paragraph("Vouchers", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(table._cells, ("Country", "Days", "Norway", "14"), strict=True):
        cell.text = words
    document.core_properties.title = "The handbook"
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def workbook(*rows: tuple[object, ...]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prices"
    for row in rows:
        sheet.append(row)
    book.create_sheet("Second").append(["last sheet"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def slides() -> bytes:
    import pptx

    deck = pptx.Presentation()
    for title, body in (("First slide", "Short line"), ("Second slide", "Other line")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
        slide.notes_slide.notes_text_frame.text = f"Notes of {title}"
    target = io.BytesIO()
    deck.save(target)
    return target.getvalue()


def test_container_is_recognised_whatever_its_name() -> None:
    assert "30 days" in extract(word_document(), "letter.doc").text
    assert "30 days" in extract(word_document(), "letter").text
    assert "Price" in extract(workbook(("Price",)), "letter.docx").text


def test_docx_becomes_blocks() -> None:
    document = extract(word_document(), "a.docx")
    assert kinds(document) == [
        ("heading", 1, "Refunds"),
        ("paragraph", 0, "Refunds are paid within 30 days."),
        ("heading", 2, "Exceptions"),
        ("list", 0, "Vouchers"),
        ("table", 0, "Country | Days\nNorway | 14"),
    ]
    assert document.title == "The handbook"


def test_docx_keeps_its_footnotes() -> None:
    source = zipfile.ZipFile(io.BytesIO(word_document()))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    words = "<w:footnote><w:p><w:r><w:t>Small print.</w:t></w:r></w:p></w:footnote>"
    note = f'<w:footnotes xmlns:w="{space}">{words}</w:footnotes>'
    parts = {name: source.read(name).decode("latin-1") for name in source.namelist()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        for name, content in parts.items():
            container.writestr(name, content.encode("latin-1"))
        container.writestr("word/footnotes.xml", note)
    assert extract(target.getvalue(), "a.docx").text.endswith("\n\nSmall print.")


def test_workbook_cells_are_read_as_they_are() -> None:
    document = extract(workbook(("Country", "Code", "Rate"), ("Namibia", "NA", 7), ("None", "null", 0.25)), "a.xlsx")
    assert (
        document.text == "Prices\n\nCountry | Code | Rate\nNamibia | NA | 7\nNone | null | 0.25\n\nSecond\n\nlast sheet"
    )
    assert document.pages == (0, document.text.index("Second"))


def test_workbook_keeps_long_cells_whole() -> None:
    words = "word " * 4000
    assert words.strip() in extract(workbook((words,)), "a.xlsx").text


def test_slides_are_pages_with_their_notes() -> None:
    document = extract(slides(), "a.pptx")
    assert len(document.pages) == 2
    first, second = document.text[: document.pages[1]], document.text[document.pages[1] :]
    assert all(words in first for words in ("First slide", "Short line", "Notes of First slide"))
    assert all(words in second for words in ("Second slide", "Other line", "Notes of Second slide"))
    assert [block.title for block in document.blocks if block.kind == "heading"] == ["First slide", "Second slide"]


def test_refuses_a_container_that_unpacks_to_too_much() -> None:
    target = io.BytesIO()
    container = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
    with container, container.open("word/document.xml", "w") as part:
        for _ in range(501):
            part.write(b"\0" * 1_000_000)
    assert len(target.getvalue()) < 1_000_000
    assert outcome(target.getvalue(), "a.docx") == "too large"


def test_never_resolves_external_entities(tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    entity = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    assert "do not read me" not in extract(f"{entity}<r>&e;</r>".encode(), "a.xml").text
    assert "do not read me" not in extract(f"{entity}<html><p>text &e;</p></html>".encode(), "a.html").text
    document = zipfile.ZipFile(io.BytesIO(word_document()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        for name in document.namelist():
            content = document.read(name)
            if name == "word/document.xml":
                body = content.split(b"?>", 1)[1].replace(b"30 days", b"&e;")
                content = entity.encode() + body
            container.writestr(name, content)
    assert "do not read me" not in outcome(target.getvalue(), "a.docx")
