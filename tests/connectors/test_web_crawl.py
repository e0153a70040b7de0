"""Crawling: as far as asked, within the prefix, by the names and wishes of the pages themselves."""

import pytest
from website import Reply, page, redirect

from connectors.web.markup import Markup, read
from kb.errors import DocumentUnavailable, ExtractionError, SourceUnavailable


def uris(site, listing) -> list[str]:
    return [entry.uri.removeprefix(site.url("")) for entry in listing.entries]


@pytest.mark.parametrize(
    ("depth", "found"), [(0, ["/d/"]), (1, ["/d/", "/d/a"]), (2, ["/d/", "/d/a", "/d/b"]), (9, ["/d/", "/d/a", "/d/b"])]
)
def test_links_are_followed_so_far(site, browse, depth: int, found: list[str]) -> None:
    site.replies |= {"/d/": page("a"), "/d/a": page("./b", "/d/"), "/d/b": page("a")}
    assert uris(site, browse("/d/", depth=depth).poll(None)) == found


def test_a_crawl_stays_within_its_prefix(site, browse) -> None:
    links = (
        "in",
        "/out",
        "../out",
        "//127.0.0.1:1/d/x",
        "http://localhost/d/x",
        "mailto:a@b",
        "javascript:x()",
        "#top",
    )
    site.replies |= {"/d/start.html": page(*links), "/d/in": page()}
    assert uris(site, browse("/d/start.html", depth=3).poll(None)) == ["/d/in", "/d/start.html"]
    assert sorted(site.paths()) == ["/d/in", "/d/start.html"]


def test_the_prefix_is_where_the_start_leads(site, browse) -> None:
    site.replies |= {"/d": redirect("/d/"), "/d/": page("a", "/other"), "/d/a": page(), "/other": page()}
    assert uris(site, browse("/d", depth=1).poll(None)) == ["/d/", "/d/a"]


def test_a_link_that_leaves_the_prefix_by_a_redirect_is_counted(site, browse) -> None:
    site.replies |= {"/d/": page("a"), "/d/a": redirect("/login"), "/login": page()}
    listing = browse("/d/", depth=1).poll(None)
    assert (uris(site, listing), listing.skipped) == (["/d/"], {"outside": 1})


def test_patterns_select_documents_not_the_way_to_them(site, browse) -> None:
    site.replies |= {"/d/": page("way/"), "/d/way/": page("doc.html", "leaf/"), "/d/way/doc.html": page()}
    assert uris(site, browse("/d/", depth=2, include=("*.html",)).poll(None)) == ["/d/way/doc.html"]
    assert "/d/way/leaf/" not in site.paths()


def test_what_is_excluded_is_not_asked_for(site, browse) -> None:
    site.replies |= {"/d/": page("a", "trap/1?day=2"), "/d/a": page()}
    assert uris(site, browse("/d/", depth=2, exclude=("/d/trap/",)).poll(None)) == ["/d/", "/d/a"]
    assert sorted(site.paths()) == ["/d/", "/d/a"]


def test_a_root_counts_as_an_index(site, browse) -> None:
    site.replies |= {"/": page("a.txt"), "/a.txt": Reply(b"1", "text/plain")}
    assert uris(site, browse("/", depth=1, include=("*.html",)).poll(None)) == ["/"]


def test_in_trouble_the_last_known_links_hold(site, browse) -> None:
    site.replies |= {"/": page("a"), "/a": page("b"), "/b": page()}
    browse("/", depth=2).poll(None)
    site.replies["/a"] = Reply(status=500)
    connector = browse("/", depth=2)
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed) == (["/", "/a", "/b"], None)
    with pytest.raises(DocumentUnavailable):
        connector.fetch(listing.entries[1])


def test_what_grew_too_large_still_leads_where_it_led(site, browse) -> None:
    site.replies |= {"/": page("a"), "/a": page("b"), "/b": page()}
    browse("/", depth=2).poll(None)
    site.replies["/a"] = page("b", words="x" * 2**20)
    connector = browse("/", depth=2)
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed) == (["/", "/a", "/b"], None)
    with pytest.raises(ExtractionError, match="more than the 1,048,576 allowed"):
        connector.fetch(listing.entries[1])
    assert browse("/", depth=2).poll(None).entries == listing.entries


def test_behind_an_unknown_page_in_trouble_nothing_is_deleted(site, browse) -> None:
    site.replies |= {"/": page("a"), "/a": Reply(status=500)}
    assert browse("/", depth=2).poll(None).removed == frozenset()


def test_without_end_a_crawl_is_stopped_and_told(site, browse) -> None:
    site.find = lambda path: None if path == "/robots.txt" else page(path + "x", path + "y")
    with pytest.raises(SourceUnavailable, match="more than 20 pages"):
        browse("/", depth=50, max_pages=20).poll(None)
    assert len(site.paths()) == 20


CANONICAL = '<link rel="canonical" href="{}">'


def test_duplicates_fold_into_the_canonical_page(site, browse) -> None:
    same = page(head=CANONICAL.format("/d/a"))
    site.replies |= {"/d/a?sort=1": same, "/d/a?sort=2": same, "/d/a": page(words="itself")}
    connector = browse("/d/a?sort=1", "/d/a?sort=2")
    listing = connector.poll(None)
    assert uris(site, listing) == ["/d/a"]
    assert connector.fetch(listing.entries[0]).content == page(words="itself").body


@pytest.mark.parametrize("canonical", ["/d/none", "http://elsewhere.example/d/a", "/above", "/d/back", "mailto:x", ""])
def test_a_canonical_page_that_is_none_is_ignored(site, browse, canonical: str) -> None:
    site.replies |= {"/d/a": page(head=CANONICAL.format(canonical)), "/above": page(), "/d/back": redirect("/d/a")}
    assert uris(site, browse("/d/a").poll(None)) == ["/d/a"]


def test_pages_that_point_at_each_other_are_one(site, browse) -> None:
    for path, other in [("/a", "/b"), ("/b", "/c"), ("/c", "/b")]:
        site.replies[path] = page(head=CANONICAL.format(other))
    assert uris(site, browse("/a", "/c").poll(None)) == ["/b"]


def test_a_canonical_page_in_trouble_keeps_its_duplicates(site, browse) -> None:
    site.replies |= {"/d/a?x": page(head=CANONICAL.format("/d/a")), "/d/a": page(), "/d/b": page()}
    browse("/d/a?x", "/d/b").poll(None)
    site.replies["/d/a"] = Reply(status=500)
    assert uris(site, browse("/d/a?x", "/d/b").poll(None)) == ["/d/a", "/d/b"]


@pytest.mark.parametrize(
    "unwanted",
    [
        page("b", head='<meta name="robots" content="NoIndex, follow">'),
        page("b", head='<meta name="Palimpsest" content="none ,noindex">'),
        Reply(page("b").body, headers={"X-Robots-Tag": "noindex"}),
        Reply(page("b").body, headers={"X-Robots-Tag": "palimpsest: noindex"}),
    ],
)
def test_pages_that_do_not_want_to_be_found_are_left_out(site, browse, unwanted: Reply) -> None:
    site.replies |= {"/": page("a"), "/a": unwanted, "/b": page()}
    listing = browse("/", depth=2).poll(None)
    assert "/a" not in uris(site, listing)
    assert listing.skipped == {"noindex": 1}


def test_what_is_said_to_other_robots_is_not_for_this_one(site, browse) -> None:
    site.replies["/"] = Reply(page().body, headers={"X-Robots-Tag": "otherbot: noindex, nofollow"})
    assert uris(site, browse("/").poll(None)) == ["/"]


def test_links_that_are_not_to_be_followed_are_not(site, browse) -> None:
    anchor = b'<a rel="external nofollow" href="/a">x</a>'
    site.replies |= {"/": Reply(anchor), "/a": page()}
    assert uris(site, browse("/", depth=1).poll(None)) == ["/"]
    site.replies["/"] = page("/a", head='<meta name="robots" content="nofollow">')
    assert uris(site, browse("/", depth=1).poll(None)) == ["/"]


@pytest.mark.parametrize(
    ("body", "media_type", "links"),
    [
        ('<a href="größe">'.encode(), "text/html", ["http://h/d/gr%C3%B6%C3%9Fe"]),
        ('<a href="größe">'.encode("latin-1"), "text/html; charset=latin-1", ["http://h/d/gr%C3%B6%C3%9Fe"]),
        ('<a href="größe">'.encode("latin-1"), "text/html; charset=none", ["http://h/d/gr%C3%B6%C3%9Fe"]),
        (b'<base href="/e/"><a href=x><a href=X><a href="x#y"><area href=z>', None, ["/e/x", "/e/X", "/e/z"]),
        (b'<a href="/a\n b"><a href="http://u:p@h/c"><a href="HTTP://H:80/%7ed">', None, ["/a%20b", "/c", "/~d"]),
        (b"<a href=x", "text/plain", []),
        (b"", "text/html", []),
        (b"\x00\xff<", None, []),
        (b"<div>" * 900 + b"<a href=x>", None, ["http://h/d/x"]),
    ],
)
def test_links_are_read_as_browsers_do(body: bytes, media_type: str | None, links: list[str]) -> None:
    whole = tuple(link if link.startswith("http") else f"http://h{link}" for link in links)
    assert read(body, media_type, "http://h/d/", ()) == Markup(whole)


def test_links_that_are_nested_too_deeply_are_not_lost_in_silence() -> None:
    with pytest.raises(DocumentUnavailable, match="http://h/ is nested too deeply"):
        read(b"<div>" * 5000 + b"<a href=x>", None, "http://h/", ())
