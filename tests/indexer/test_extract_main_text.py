"""The main text of a web page: told from what surrounds it where that can be done, whole where it cannot."""

import subprocess
import sys

import pytest

from indexer.extract import EXTRACTOR, extract
from indexer.prepare import Task, prepare

MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/shop'>Our products</a></li></ul></nav>"
FOOT = "<aside>Buy more of this</aside><footer>All rights reserved by Example</footer>"
TEXT = "<p>Customers have thirty days to ask for a refund, from the day on which they were handed the goods.</p>"
ARTICLE = f"""<article><h1>Refunds</h1>{TEXT}<h2>How to ask</h2><p>Write to us, and name your order's number.</p>
  <ul><li>by letter</li><li>by mail</li></ul><pre><code>refund --order 7</code></pre>
  <table><tr><th>Country</th><th>Days</th></tr><tr><td>Norway</td><td>14</td></tr></table></article>"""


def site(body: str) -> bytes:
    return f"<html><head><title>Refunds – Example</title></head><body>{body}</body></html>".encode()


def outline(page: bytes, boilerplate: bool) -> list[tuple[str, str]]:
    document = extract(page, "https://shop.example/refunds", "text/html", boilerplate=boilerplate)
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_the_main_text_keeps_its_structure() -> None:
    assert outline(site(f"{MENU}<main>{ARTICLE}</main>{FOOT}"), boilerplate=True) == [
        ("heading", "Refunds"),
        (
            "paragraph",
            "Customers have thirty days to ask for a refund, from the day on which they were handed the goods.",
        ),
        ("heading", "How to ask"),
        ("paragraph", "Write to us, and name your order's number."),
        ("list", "by letter"),
        ("list", "by mail"),
        ("code", "refund --order 7"),
        ("table", "Country | Days\nNorway | 14"),
    ]


def test_the_title_is_the_pages_own() -> None:
    page = site(f"{MENU}<main>{ARTICLE}</main>{FOOT}")
    assert extract(page, "https://shop.example/", "text/html", boilerplate=True).title == "Refunds – Example"


@pytest.mark.parametrize(
    "body",
    [
        f"<div>{MENU}</div><h1>Refunds</h1>{TEXT}<h2>Ways</h2><ul><li>by letter</li></ul><div>Example</div>",
        "<h1>Soon</h1>",
        "<div>" * 300 + "deep words" + "</div>" * 300,
        TEXT * 20_000,
    ],
)
def test_where_no_main_text_can_be_told_the_page_is_whole(body: str) -> None:
    page = site(body)
    assert (
        "".join(text for _, text in outline(page, True)).split() == "".join(t for _, t in outline(page, False)).split()
    )


def test_files_of_folders_stay_whole() -> None:
    text = ARTICLE.replace("article>", "div>").replace("<div>", "<div class='post-content'>")
    page = site(f"{text}<div class='sidebar'><p>Related goods</p></div>")
    assert "Related goods" in extract(page, "refunds.html").text
    assert "Related goods" not in extract(page, "refunds.html", boilerplate=True).text


def test_what_is_no_page_is_read_as_ever() -> None:
    assert extract(b"# A\n\ntext\n", "https://a.example/a", "text/markdown", boilerplate=True).text == "# A\n\ntext\n"


def test_the_wish_reaches_the_extraction() -> None:
    page = site(f"{MENU}<main>{ARTICLE}</main>{FOOT}")
    task = Task(page, "https://shop.example/", "text/html", "all-MiniLM-L6-v2", boilerplate=True)
    assert "Home" not in prepare(task).layout.text


def test_the_same_page_gives_the_same_text_in_any_process() -> None:
    page = site(f"{MENU}<main>{ARTICLE}</main>{FOOT}")
    script = f"from indexer.extract import extract; print(extract({page!r}, 'a', 'text/html', boilerplate=True))"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert b"Refunds" in runs[0].stdout


def test_the_extractor_names_what_tells_the_main_text() -> None:
    assert "trafilatura " in EXTRACTOR
