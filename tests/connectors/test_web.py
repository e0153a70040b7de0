"""Web pages: what counts as a change, as a deletion, as unavailable; and which name a page goes by."""

import shutil
from datetime import UTC, datetime

import pytest
from website import LONG_AGO, Reply, page, redirect

from connectors.protocol import Entry
from kb.digest import sha256_bytes
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError, SourceUnavailable


def uris(site, listing) -> list[str]:
    return [entry.uri.removeprefix(site.url("")) for entry in listing.entries]


def test_a_list_of_pages_is_read(site, browse) -> None:
    site.replies |= {"/a": page(words="one"), "/b?x=1": page(words="two")}
    connector = browse("/b?x=1", "/a#part", "/a")
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed, listing.skipped) == (["/a", "/b?x=1"], None, {})
    fetched = connector.fetch(listing.entries[0])
    assert (fetched.content, fetched.media_type) == (page(words="one").body, "text/html; charset=utf-8")
    assert fetched.boilerplate
    assert listing.entries[0].stamp == sha256_bytes(fetched.content)


@pytest.mark.parametrize("proof", [{"etag": True}, {"modified": LONG_AGO}])
def test_what_did_not_change_is_not_sent_again(site, browse, proof: dict[str, object]) -> None:
    site.replies["/a"] = Reply(b"words", **proof)
    first = browse("/a").poll(None)
    assert site.statuses() == {"/robots.txt": 404, "/a": 200}
    connector = browse("/a")
    assert connector.poll(None).entries == first.entries
    assert connector.fetch(first.entries[0]).content == b"words"
    assert [asked for asked in site.asked if asked[0] == "/a"] == [("/a", 304)]


def test_a_fetch_after_a_poll_asks_nothing(site, browse) -> None:
    site.replies["/a"] = page()
    connector = browse("/a")
    (entry,) = connector.poll(None).entries
    site.paths()
    assert connector.fetch(entry).content == page().body
    assert site.paths() == []


def test_without_validators_the_bytes_decide(site, browse) -> None:
    site.replies["/a"] = page(words="one")
    first = browse("/a").poll(None)
    assert browse("/a").poll(None).entries == first.entries
    site.replies["/a"] = page(words="two")
    assert browse("/a").poll(None).entries != first.entries


def test_what_was_modified_just_before_it_was_sent_is_asked_for_in_full(site, browse) -> None:
    site.replies["/a"] = Reply(b"one", modified=int(datetime.now(UTC).timestamp()) + 60, etag=True)
    browse("/a").poll(None)
    browse("/a").poll(None)
    assert [status for path, status in site.asked if path == "/a"] == [200, 200]


def test_the_time_is_what_the_server_says(site, browse) -> None:
    site.replies |= {"/a": Reply(b"1", modified=LONG_AGO), "/b": Reply(b"1", headers={"Last-Modified": "yesterday"})}
    connector = browse("/a", "/b")
    times = [connector.fetch(entry).modified_at for entry in connector.poll(None).entries]
    assert times == [datetime.fromtimestamp(LONG_AGO, UTC), None]


def test_the_cache_may_be_deleted_at_any_time(site, browse, tmp_path) -> None:
    site.replies["/a"] = page()
    connector = browse("/a")
    first = connector.poll(None)
    shutil.rmtree(tmp_path / "workspace")
    assert connector.fetch(first.entries[0]).content == page().body
    shutil.rmtree(tmp_path / "workspace")
    assert browse("/a").poll(None).entries == first.entries


def test_a_damaged_cache_counts_as_none(site, browse, tmp_path) -> None:
    site.replies["/a"] = Reply(b"words", etag=True)
    connector = browse("/a")
    (entry,) = connector.poll(None).entries
    (file,) = (tmp_path / "workspace" / "web").glob("*/*")
    for damage in (b"", b"[]\n", b"\xff\n", file.read_bytes().replace(b"words", b"swords")):
        file.write_bytes(damage)
        assert connector.fetch(entry).content == b"words"
    assert {status for path, status in site.asked if path == "/a"} == {200}


def test_where_pages_cannot_be_kept_the_source_is_unavailable(site, browse, tmp_path) -> None:
    site.replies["/a"] = page()
    (tmp_path / "workspace").write_bytes(b"in the way")
    with pytest.raises(SourceUnavailable, match="pages cannot be kept at"):
        browse("/a").poll(None)


def test_the_cache_keeps_only_what_is_listed(site, browse, tmp_path) -> None:
    site.replies |= {"/a": page(), "/b": page()}
    browse("/a", "/b").poll(None)
    del site.replies["/b"]
    browse("/a", "/b").poll(None)
    assert len(list((tmp_path / "workspace" / "web").glob("*/*"))) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_deleted(site, browse, status: int) -> None:
    site.replies |= {"/a": page(), "/b": page()}
    browse("/a", "/b").poll(None)
    site.replies["/b"] = Reply(status=status)
    listing = browse("/a", "/b").poll(None)
    assert (uris(site, listing), listing.removed) == (["/a"], None)
    with pytest.raises(DocumentGone, match="no longer there"):
        browse("/a").fetch(Entry(site.url("/b"), ""))


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 202, 206, 300, 304])
def test_what_is_in_trouble_is_neither_gone_nor_changed(site, browse, status: int) -> None:
    site.replies |= {"/a": page(words="a"), "/b": page(words="b")}
    browse("/a", "/b").poll(None)
    site.replies["/b"] = Reply(status=status)
    connector = browse("/a", "/b")
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed) == (["/a", "/b"], None)
    with pytest.raises(DocumentUnavailable, match=f"/b answers {status}"):
        connector.fetch(listing.entries[1])
    site.replies["/b"] = page(words="b")
    assert browse("/a", "/b").poll(None).entries[1].stamp == sha256_bytes(page(words="b").body)


def test_trouble_with_an_unknown_page_deletes_only_what_is_certainly_gone(site, browse) -> None:
    site.replies |= {"/a": page(), "/new": Reply(status=500)}
    connector = browse("/a", "/new", "/gone")
    listing = connector.poll(None)
    assert uris(site, listing) == ["/a", "/new"]
    assert listing.removed == {site.url("/gone")}
    with pytest.raises(DocumentUnavailable, match="/new answers 500"):
        connector.fetch(listing.entries[1])


def test_all_in_trouble_is_the_source_in_trouble(site, browse) -> None:
    site.replies |= {"/a": page(), "/b": page()}
    browse("/a", "/b").poll(None)
    site.replies |= {"/a": Reply(status=500), "/b": Reply(status=502)}
    with pytest.raises(SourceUnavailable, match="no page can be read"):
        browse("/a", "/b").poll(None)


def test_trouble_again_and_again_is_not_waited_out(site, browse) -> None:
    paths = [f"/{number:02}" for number in range(40)]
    site.replies |= {path: page() if number < 20 else Reply(status=500) for number, path in enumerate(paths)}
    with pytest.raises(SourceUnavailable, match=r"10 pages of .* in a row"):
        browse(*paths).poll(None)
    assert len(site.paths()) == 30


def test_a_redirected_page_goes_by_the_name_of_where_it_is(site, browse) -> None:
    site.replies |= {"/old": redirect("/way", 301), "/way": redirect(site.url("/new#x"), 308), "/new": page()}
    connector = browse("/old", "/new")
    listing = connector.poll(None)
    assert uris(site, listing) == ["/new"]
    assert site.paths().count("/new") == 1
    with pytest.raises(DocumentGone, match="/old has moved"):
        connector.fetch(Entry(site.url("/old"), ""))


@pytest.mark.parametrize("target", ["/loop", "/loop2", "", "mailto:a@b", "http://", "ftp://127.0.0.1/", "//[x"])
def test_a_redirect_that_leads_nowhere_is_trouble(site, browse, target: str) -> None:
    site.replies |= {"/a": page(), "/loop": redirect(target), "/loop2": redirect("/loop")}
    connector = browse("/a", "/loop")
    listing = connector.poll(None)
    assert uris(site, listing) == ["/a", "/loop"]
    with pytest.raises(DocumentUnavailable, match=r"/loop.? (is redirected without end|redirects to what is no web)"):
        connector.fetch(listing.entries[1])


def test_a_site_that_is_being_mended_loses_no_page(site, browse) -> None:
    site.replies |= {"/a": page(), "/b": page(words="b")}
    browse("/a", "/b").poll(None)
    site.replies |= {"/b": redirect("/mended"), "/mended": Reply(status=503)}
    connector = browse("/a", "/b")
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed) == (["/a", "/b"], None)
    with pytest.raises(DocumentUnavailable, match="/mended answers 503"):
        connector.fetch(listing.entries[1])


def test_what_was_redirected_and_is_in_trouble_keeps_its_place(site, browse) -> None:
    site.replies |= {"/a": page(), "/old": redirect("/new"), "/new": page(words="b")}
    browse("/a", "/old").poll(None)
    site.replies["/old"] = Reply(status=500)
    listing = browse("/a", "/old").poll(None)
    assert (uris(site, listing), listing.removed) == (["/a", "/new"], None)


def test_what_is_too_large_is_listed_and_refused(site, browse) -> None:
    site.replies |= {"/a": page(), "/big": Reply(b"x" * 2**20 + b"y")}
    connector = browse("/a", "/big")
    listing = connector.poll(None)
    assert (uris(site, listing), listing.removed) == (["/a", "/big"], None)
    with pytest.raises(ExtractionError, match="1,048,577 bytes") as caught:
        connector.fetch(listing.entries[1])
    assert caught.value.reason == "too large"
    assert browse("/a", "/big").poll(None).entries == listing.entries


def test_more_pages_than_allowed_are_told(site, browse) -> None:
    site.replies |= {"/a": page(), "/b": page()}
    with pytest.raises(SourceUnavailable, match="more than 1 pages; raise max_pages"):
        browse("/a", "/b", max_pages=1).poll(None)


def test_fetching_without_a_poll_asks_what_is_there_now(site, browse) -> None:
    site.replies["/a"] = Reply(b"one", etag=True)
    browse("/a").poll(None)
    site.replies["/a"] = Reply(b"two", etag=True)
    assert browse("/a").fetch(Entry(site.url("/a"), "")).content == b"two"
    with pytest.raises(DocumentGone):
        browse("/a").fetch(Entry(site.url("/none"), ""))
    for uri in ("HTTP://x/", "http://x", "ftp://x/", "http://", site.url("/a#b"), site.url("/a").replace("//", "//u@")):
        with pytest.raises(DocumentUnavailable, match="is not the address of a web page"):
            browse("/a").fetch(Entry(uri, ""))
