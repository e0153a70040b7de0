"""Every file of the messy collection is taken in with its words, or refused with the true reason."""

import importlib.util
import shutil
from dataclasses import dataclass
from functools import partial
from operator import call
from pathlib import Path

import pytest

from indexer.document import Extracted
from indexer.extract import extract
from indexer.extract.pool import ExtractionPool
from kb.errors import ExtractionError
from kb.nouns import QUARANTINE_REASONS

FILES = Path(__file__).parents[3] / "shared" / "data" / "messy" / "files"


@dataclass(frozen=True)
class Taken:
    """Words that the text must hold."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """Where `program` is there, the file is taken in or called corrupt instead."""

    reason: str
    message: str
    program: str = ""


def taken(*words: str) -> Taken:
    return Taken(words)


EXPECTED: dict[str, Taken | Refused] = {
    "py__002-trivial-libre-office-writer.pdf": taken("Lorem ipsum dolor sit amet", "sadipscing elitr"),
    "py__with-attachment.pdf": taken("sea takimata sanctus", "Attachment: image.png"),
    "py__habibi.pdf": taken("habibi"),
    "py__libreoffice-writer-password.pdf": Refused("encrypted", "password"),
    "un__DA-619p.pdf": taken("Abomination", "Arcane Horror"),
    "un__loremipsum-flat.pdf": Refused("empty", "only images"),
    "un__rotated-page-90.pdf": taken("Rotated page fixture", "Second line of text here"),
    "un__failure-after-repair.pdf": taken("Understanding Breast Cancer", "ISBN 978 1 925136 98 2"),
    "un__simple.docx": taken("These are a few of my favorite things:", "Parrots", "DOYLESTOWN, PA 18901"),
    "un__handbook-872p.docx": taken(
        "Executive Office for United States Trustees", "STANDING TRUSTEE PLEDGE OF EXCELLENCE"
    ),
    "un__tables-with-incomplete-rows.docx": taken("missing cells from the end", "a | b\nc | d"),
    "tika__testWORD_truncated.docx": Refused("corrupt", "not a zip"),
    "tika__testWORD_protected_passtika.docx": Refused("encrypted", "password"),
    "tika__2exe.docx": Refused("empty", "embedded objects"),
    "tika__testWORD.doc": Refused("unsupported", "LibreOffice", "soffice"),
    "tika__testWORD6.doc": Refused("unsupported", "LibreOffice", "soffice"),
    "tika__testWORD_protected_passtika.doc": Refused("encrypted", "password"),
    "un__eng_spa_mult.doc": taken("All human beings are born free", "Todos los seres humanos nacen libres"),
    "un__simple.pptx": taken("Title Slide", "Where have all the flowers gone?"),
    "un__fake-power-point-malformed.pptx": taken("Problem Date Placeholder", "Test Slide"),
    "tika__testPPT_protected_passtika.pptx": Refused("encrypted", "password"),
    "tika__testPPT.ppt": Refused("unsupported", "LibreOffice", "soffice"),
    "un__stanley-cups.xlsx": taken("Stanley Cups Since 67", "Maple Leafs | TOR | 13"),
    "un__empty.xlsx": Refused("empty", "no text"),
    "tika__testEXCEL_protected_passtika.xlsx": Refused("encrypted", "password"),
    "tika__testEXCEL.xls": taken("Numbers and their Squares", "15 | 225"),
    "tika__testEXCEL.xlsb": Refused("unsupported", ".xlsb"),
    "un__fake-email.eml": taken("Subject: Test Email", "To: NotMatthew", "Roses are red"),
    "un__fake-email-utf-16.eml": taken("Subject: Test Email", "Violets are blue"),
    "un__fake-email-malformed-encoding.eml": taken("Subject: Test Email", "Roses are red"),
    "un__mime-multipart-digest.eml": taken("Subject: First Message", "This is the third message in the digest."),
    "un__empty.eml": Refused("empty", "white space"),
    "un__fake-encrypted.eml": Refused("encrypted", "password"),
    "un__fake-email.txt": taken("Subject: Test Email\r\n", "   - Roses are red\r\n"),
    "un__fake-email.msg": taken("Test Email", "Roses are red"),
    "tika__testMSG_att_msg.msg": taken("Test email with 1 msg attachment, 1 pdf", "smbprn.00009008.KdcPjl.pdf"),
    "tika__testMSG_chinese.msg": taken("格式測試", "常務理事 陳亮宏"),
    "tika__complex.mbox": Refused("unsupported", "mailbox"),
    "un__example-10k-1p.html": taken("Galaxy Gaming, Inc.", "TABLE OF CONTENTS"),
    "un__example-10k.html": taken("SECURITIES AND EXCHANGE COMMISSION", "Nevada"),
    "un__fake-html-cp1252.html": taken("Die schöne Frau", "15,50 €", "¡Qué rico!", "O João comprou"),
    "tika__testBrokenHTMLContainingRFC822.html": taken("A heading", "A whole bunch of text."),
    "tika__big-preamble.html": taken("Блокнот Континент-Недвижимость"),
    "tika__testXXE.xml": taken("<!DOCTYPE roottag", "file:///couldnt_possibly_exist"),
    "un__factbook-utf-16.xml": taken("<name>United States</name>", "<leader>Justin Trudeau</leader>"),
    "tika__testRTFJapanese.rtf": Refused("unsupported", "LibreOffice", "soffice"),
    "tika__testRTF-ms932.rtf": Refused("unsupported", "LibreOffice", "soffice"),
    "tika__testRTFCorruptListOverride.rtf": Refused("unsupported", "pandoc", "pandoc"),
    "tika__testODTStyles3.odt": Refused("unsupported", "pandoc", "pandoc"),
    "tika__testODTEncrypted.odt": Refused("encrypted", "password"),
    "tika__testODTnotaZipFile.odt": Refused("corrupt", "its name says"),
    "un__winter-sports.epub": Refused("unsupported", "pandoc", "pandoc"),
    "tika__english.cp500.txt": Refused("undecodable", "EBCDIC"),
    "un__umlauts-non-utf8.md": taken("## können", "äöüß"),
    "un__stanley-cups-utf-16.csv": taken("Team,Location,Stanley Cups\nBlues,STL,1"),
    "un__UDHR_first_article_all.txt": taken("Universal Declaration of Human Right", "是人都生而自由", "사람들이"),
    "un__book-war-and-peace-1225p.txt": taken('"Well, Prince, so Genoa and Lucca are now just family estates'),
    "un__csv-with-long-lines.csv": taken("SpearmanCorrelationCoefficient,1Freq CD161CD8TfrequencyUnstim"),
    "un__empty.txt": Refused("empty", "no content"),
    "tika__droste.zip": Refused("unsupported", "archive"),
    "tika__testZipEncrypted.zip": Refused("encrypted", "password"),
    "tika__testZipEntryNameCharsetShiftSJIS.zip": Refused("unsupported", "archive"),
}


def result(name: str) -> Extracted | ExtractionError:
    try:
        return extract((FILES / name).read_bytes(), name)
    except ExtractionError as error:
        return error


def installed(program: str) -> bool:
    carried = program == "pandoc" and importlib.util.find_spec("pypandoc") is not None
    return carried or shutil.which(program) is not None


def test_every_file_has_an_expectation() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in FILES.iterdir())
    assert {refused.reason for refused in EXPECTED.values() if isinstance(refused, Refused)} <= set(QUARANTINE_REASONS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_file_is_taken_in_or_refused_for_its_true_reason(name: str) -> None:
    found, expected = result(name), EXPECTED[name]
    if isinstance(expected, Taken):
        assert isinstance(found, Extracted), found
        assert [word for word in expected.words if word not in found.text] == []
        check_shape(found)
    elif expected.program and installed(expected.program):
        assert isinstance(found, Extracted) or found.reason == "corrupt"
    else:
        assert isinstance(found, ExtractionError)
        assert (found.reason, expected.message in found.message) == (expected.reason, True), found.message


def check_shape(document: Extracted) -> None:
    """Blocks are in order, without overlap, with white space alone between them; pages lie inside the text."""
    end = 0
    for block in document.blocks:
        assert end <= block.start < block.end <= len(document.text)
        assert not document.text[end : block.start].strip()
        end = block.end
    assert not document.text[end:].strip()
    assert list(document.pages) == sorted(document.pages)
    assert all(0 <= page <= len(document.text) for page in document.pages)
    assert document.text.encode("utf-8").decode("utf-8") == document.text


def test_other_processes_find_the_same() -> None:
    names = [name for name in sorted(EXPECTED) if (FILES / name).stat().st_size < 100_000]
    calls = [partial(extract, (FILES / name).read_bytes(), name) for name in names]
    with ExtractionPool(workers=2, timeout_s=120) as pool:
        there = list(pool.map(call, calls, weigh=lambda made: len(made.args[0])))
    here = [result(name) for name in names]
    assert [repr(each) for each in there] == [repr(each) for each in here]
