"""Sitemaps: plain, packed, in an index; and what is none is never an empty one."""

import gzip

import pytest
from website import Reply, packed, page, redirect, sitemap, sitemap_index

from kb.errors import SourceUnavailable


def uris(site, listing) -> list[str]:
    return [entry.uri.removeprefix(site.url("")) for entry in listing.entries]


def test_an_index_leads_to_packed_sitemaps(site, browse) -> None:
    site.replies |= {
        "/index.xml": sitemap_index(site.url("/one.xml.gz"), " /two.xml\n", site.url("/index.xml")),
        "/one.xml.gz": packed(sitemap(site.url("/a"), site.url("/b?x=1&amp;y=2"))),
        "/two.xml": redirect("/deep.xml"),
        "/deep.xml": Reply(
            gzip.compress(sitemap_index(site.url("/three.xml")).body), headers={"Content-Encoding": "gzip"}
        ),
        "/three.xml": sitemap(site.url("/c"), site.url("/a")),
    }
    site.replies |= dict.fromkeys(("/a", "/b?x=1&y=2", "/c"), page())
    assert uris(site, browse(sitemap=("/index.xml",)).poll(None)) == ["/a", "/b?x=1&y=2", "/c"]


def test_a_sitemap_that_did_not_change_is_not_sent_again(site, browse) -> None:
    listed = sitemap(site.url("/a"))
    site.replies |= {"/map.xml": Reply(listed.body, "application/xml", etag=True), "/a": Reply(b"1", etag=True)}
    first = browse(sitemap=("/map.xml",)).poll(None)
    site.statuses()
    assert browse(sitemap=("/map.xml",)).poll(None).entries == first.entries
    assert site.statuses() == {"/map.xml": 304, "/robots.txt": 404, "/a": 304}


def test_what_leaves_the_sitemap_is_deleted(site, browse) -> None:
    site.replies |= {"/map.xml": sitemap(site.url("/a"), site.url("/b")), "/a": page(), "/b": page()}
    browse(sitemap=("/map.xml",)).poll(None)
    site.replies["/map.xml"] = sitemap(site.url("/a"))
    listing = browse(sitemap=("/map.xml",)).poll(None)
    assert (uris(site, listing), listing.removed) == (["/a"], None)


def test_an_empty_sitemap_lists_nothing(site, browse) -> None:
    site.replies["/map.xml"] = sitemap()
    listing = browse(sitemap=("/map.xml",)).poll(None)
    assert (listing.entries, listing.removed) == ((), None)


def test_pages_of_a_sitemap_may_lead_to_more(site, browse) -> None:
    site.replies |= {"/d/map.xml": sitemap(site.url("/d/a")), "/d/a": page("b", "/c"), "/d/b": page(), "/c": page()}
    assert uris(site, browse(sitemap=("/d/map.xml",), depth=1).poll(None)) == ["/d/a", "/d/b"]


def test_addresses_that_are_not_of_the_web_are_none_of_pages(site, browse) -> None:
    site.replies |= {"/map.xml": sitemap("mailto:a@b", "ftp://x/", " ", site.url("/a")), "/a": page()}
    assert uris(site, browse(sitemap=("/map.xml",)).poll(None)) == ["/a"]


ENTITY = b'<!DOCTYPE urlset [<!ENTITY e SYSTEM "file:///etc/hostname">]><urlset><url><loc>&e;</loc></url></urlset>'
LAUGHS = b'<!DOCTYPE u [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><urlset>&b;</urlset>'


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=404), "/map.xml is not there"),
        (Reply(status=403), "/map.xml answers 403"),
        (Reply(status=500), "/map.xml answers 500"),
        (Reply(b""), "cannot be read as a sitemap"),
        (Reply(b"<html><body>Sign in</body></html>"), "neither a `urlset` nor a `sitemapindex`"),
        (Reply(b"<urlset><url><loc>http://127.0.0.1/"), "cannot be read as a sitemap"),
        (Reply(b"\x1f\x8b half"), "cannot be read as a sitemap"),
        (Reply(gzip.compress(sitemap().body)[:-4]), "ends early"),
        (Reply(gzip.compress(bytes(2**27))), "more bytes than"),
        (Reply(ENTITY), "neither a `urlset`"),
        (Reply(LAUGHS), "neither a `urlset`"),
        (Reply(b"x" * 2**21), "2,097,152 bytes"),
        (redirect("/map.xml"), "redirected without end"),
        (sitemap_index("/none.xml"), "/none.xml is not there"),
    ],
)
def test_what_is_no_sitemap_deletes_nothing(site, browse, reply: Reply, reason: str) -> None:
    site.replies |= {"/map.xml": sitemap(site.url("/a")), "/a": page()}
    browse(sitemap=("/map.xml",)).poll(None)
    site.replies["/map.xml"] = reply
    with pytest.raises(SourceUnavailable, match=reason) as caught:
        browse(sitemap=("/map.xml",)).poll(None)
    assert "\n" not in str(caught.value)


def test_sitemaps_without_end_are_told(site, browse) -> None:
    site.find = lambda path: sitemap_index(path + "x")
    with pytest.raises(SourceUnavailable, match="more than 1000 sitemaps"):
        browse(sitemap=("/m",)).poll(None)
