"""URLs in one spelling each, so that a page has one name however it was linked."""

import re
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

import httpx

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
# As browsers do: line ends and tabs within a link are not part of it.
_FOLDED = re.compile(r"[\t\r\n]")


@lru_cache(maxsize=2**16)
def normal(text: str) -> str | None:
    """The URL without user, fragment and default port, escapes spelt one way; None where it is no web address."""
    try:
        # Twice: default ports are known by schemes in small letters only.
        url = httpx.URL(str(httpx.URL(text))).copy_with(userinfo=b"", fragment=None)
        parts = urlsplit(str(url))
    except (httpx.InvalidURL, ValueError):
        return None
    if url.scheme not in ("http", "https") or not url.host or "%" in url.host:
        return None
    if url.port is not None and not 0 < url.port < 65536:
        return None
    return _ESCAPE.sub(_spelt, parts._replace(path=parts.path or "/").geturl())


def joined(base: str, link: str) -> str | None:
    """Where a link leads from a page, normal; None where that is no web address."""
    try:
        return normal(urljoin(base, _FOLDED.sub("", link.strip())))
    except ValueError:
        return None


def origin(url: str) -> str:
    """Scheme, host and port: what a credential is for."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode('ascii')}"


def host(url: str) -> str:
    return httpx.URL(url).host


def directory(url: str) -> str:
    """The URL up to the last `/` of its path."""
    return re.split(r"[?]", url)[0].rpartition("/")[0] + "/"


def name(url: str) -> str:
    """What patterns are matched with: path and query, unescaped, without the first `/`; of a root `index.html`."""
    parts = httpx.URL(url)
    return unquote(parts.raw_path.decode("ascii")).lstrip("/") or "index.html"


def shown(url: str) -> str:
    """For messages: without its query, which may hold what is nobody's business."""
    bare, mark, _ = url.partition("?")
    return f"{bare}?…" if mark else bare


def _spelt(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()
