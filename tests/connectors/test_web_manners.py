"""Manners: robots.txt is kept to, and no host is asked more often than it or the source allows."""

import pytest
from website import Reply, Website, page, redirect

from connectors.protocol import Entry
from connectors.web import WebConnector, WebOptions
from connectors.web.pace import Pace
from kb.errors import DocumentUnavailable, SourceUnavailable


def uris(site, listing) -> list[str]:
    return [entry.uri.removeprefix(site.url("")) for entry in listing.entries]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def robots(*lines: str) -> Reply:
    return Reply("\n".join(lines).encode(), "text/plain")


def test_what_robots_txt_disallows_is_left_out_and_counted(site, browse) -> None:
    site.replies |= {"/robots.txt": robots("User-agent: *", "Disallow: /no"), "/a": page(), "/no/b": page()}
    connector = browse("/a", "/no/b", "/no/c")
    listing = connector.poll(None)
    assert (uris(site, listing), listing.skipped) == (["/a"], {"robots.txt": 2})
    assert site.paths() == ["/a"]
    with pytest.raises(DocumentUnavailable, match=r"robots\.txt forbids it"):
        connector.fetch(Entry(site.url("/no/b"), ""))


def test_the_rules_for_this_robot_go_before_those_for_all(site, browse) -> None:
    lines = ("User-agent: *", "Disallow: /", "", "User-agent: palimpsest", "Disallow: /private/", "Allow: /private/$")
    site.replies |= {"/robots.txt": robots(*lines), "/private/": page("x"), "/a": page()}
    assert uris(site, browse("/a", "/private/", depth=1).poll(None)) == ["/a", "/private/"]


def test_a_redirect_leads_nobody_around_robots_txt(site, browse) -> None:
    with Website() as other:
        other.replies |= {"/robots.txt": robots("User-agent: *", "Disallow: /"), "/b": page()}
        site.replies |= {"/a": redirect(other.url("/b")), "/c": page()}
        listing = browse("/a", "/c").poll(None)
        assert (uris(site, listing), listing.skipped) == (["/c"], {"robots.txt": 1})
        assert [path for path, _ in other.asked] == ["/robots.txt"]


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=403), Reply(b"\xff\x00 <html>", "text/html")])
def test_without_rules_all_may_be_read(site, browse, reply: Reply) -> None:
    site.replies |= {"/robots.txt": reply, "/a": page()}
    assert uris(site, browse("/a").poll(None)) == ["/a"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=429),
        Reply(raw=b"half"),
        redirect("/robots.txt"),
        redirect("ftp://x/"),
        Reply(b"x" * 2**21),
    ],
)
def test_where_the_rules_cannot_be_read_nothing_is(site, browse, reply: Reply) -> None:
    site.replies |= {"/robots.txt": reply, "/a": page()}
    with pytest.raises(SourceUnavailable, match=r"/robots\.txt"):
        browse("/a").poll(None)
    assert set(site.paths()) <= {"/robots.txt"}


def test_the_rules_of_a_site_that_a_page_leads_to_are_that_pages_trouble(site, browse) -> None:
    with Website() as other:
        other.replies["/robots.txt"] = Reply(status=500)
        site.replies |= {"/a": redirect(other.url("/b")), "/c": page()}
        connector = browse("/a", "/c")
        listing = connector.poll(None)
        assert uris(site, listing) == ["/a", "/c"]
        with pytest.raises(DocumentUnavailable, match="not known what may be read"):
            connector.fetch(listing.entries[0])


def polite(site, tmp_path, clock: Clock, *paths: str, **options) -> WebConnector:
    settings = WebOptions(tuple(site.url(path) for path in paths), allow_private=True, **options)
    return WebConnector(settings, workspace=tmp_path, clock=clock, sleep=clock.sleep)


def test_a_host_is_asked_no_more_often_than_the_rate(site, tmp_path) -> None:
    clock = Clock()
    site.replies |= {"/a": redirect("/b"), "/b": page()}
    polite(site, tmp_path, clock, "/a", "/c", rate=2.0).poll(None)
    assert site.paths() == ["/a", "/b", "/c"]
    assert clock.slept == [0.5, 0.5, 0.5]


def test_crawl_delay_is_honoured(site, tmp_path) -> None:
    clock = Clock()
    site.replies |= {"/robots.txt": robots("User-agent: *", "Crawl-delay: 7"), "/a": page(), "/b": page()}
    polite(site, tmp_path, clock, "/a", "/b").poll(None)
    assert clock.slept == [7.0, 7.0]


def test_a_delay_that_no_poll_can_wait_is_told(site, tmp_path) -> None:
    site.replies |= {"/robots.txt": robots("User-agent: *", "Crawl-delay: 86400"), "/a": page()}
    with pytest.raises(SourceUnavailable, match="asks for 86400 s between requests"):
        polite(site, tmp_path, Clock(), "/a").poll(None)


def test_hosts_do_not_wait_for_each_other() -> None:
    clock = Clock()
    pace = Pace(0.5, clock, clock.sleep)
    for host in ("a", "b", "a"):
        pace.wait(host)
    assert clock.slept == [2.0]
    clock.now += 10
    pace.wait("a")
    assert clock.slept == [2.0]
