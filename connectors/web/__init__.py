"""The kind `web`: pages of websites, each a document under its canonical URL.

    kb source add handbook web urls=https://docs.example/handbook/ depth=3 --every 1h
    kb source add docs web sitemap=https://docs.example/sitemap.xml exclude='/blog/, *.pdf' rate=10
    kb source add wiki web urls=https://wiki.example/ depth=2 allow_private=true authorization='Bearer ${TOKEN}'

`urls`: pages to read, and where a crawl begins; several with white space or commas between them.
`sitemap`: sitemaps or indexes of them, plain or gzip, whose pages are read. At least one of `urls` and `sitemap`.
`depth` (0): how many links away from those pages to go, within the directories of the `urls` (where they redirect to)
    and of the sitemaps; `https://docs.example/a/intro` holds whatever begins with `https://docs.example/a/`.
`include` (all): gitignore patterns for what becomes a document, matched with path and query (`/a/`, `*.html`); a site's
    root counts as `index.html`. What it does not select is read for its links alone.
`exclude` (none): patterns for what is not even asked for.
`rate` (4): requests a second to each host at most; robots.txt's `Crawl-delay`, up to 60 s, slows them further.
`timeout_s` (30): how long a server may be silent; a whole answer may take ten times that.
`max_pages` (10000): more pages than that stop the poll, and are told.
`allow_private` (false): whether hosts may be at addresses that are not public (loopback, private, link-local, …).
`authorization`: the `Authorization` header for the sites that `urls` and `sitemap` name, and for no others;
    `https://USER:PASSWORD@HOST/` gives it for one of them.

A URL's query is part of a document's name and no place for a secret. There are no cookies, no scripts are run, no proxy
is used. Every connection, also of a redirect, goes to an address that was checked after its name was resolved.

A change is other bytes. Each poll asks for each page, with the `ETag` or `Last-Modified` of the last time; what they
prove unchanged is not sent again. A page that is made anew for each request (with a date, a token) changes each time.
What is indexed is the main text, without the navigation and notices around it.

A page's name is where its redirects end, or its canonical link where that leads to a document within the same site and
prefix: duplicates are one document.

Deleted is what answers 404 or 410, what no listing and no link leads to any more, what moved, what robots.txt forbids,
and what says `noindex` in its head or its headers (its links are followed). The last two are counted as skipped.

Unavailable is the whole source, which stays as it is, where a sitemap or a site's robots.txt cannot be read (5xx,
timeout, half an answer; a sitemap also 404), and where no page can, or ten of a host in a row cannot. A single page in
trouble (401, 403, 429, 5xx, …) keeps its last good version and goes to quarantine, and the links that it had last time
hold. Where a page leads that was never read, nobody knows: while such a page is in trouble, what is no longer linked or
listed is not deleted, only what is certainly gone. If it stays so, leave it out by `exclude`.
"""

from connectors.web.connector import WebConnector
from connectors.web.options import WebOptions

__all__ = ["WebConnector", "WebOptions"]
