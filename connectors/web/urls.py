"""URLs in one spelling each, so that a page has one name however it was linked."""

import re
from urllib.parse import unquote, urlsplit

import httpx

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
# As browsers do: line ends and tabs within a link are not part of it.
_FOLDED = re.compile(r"[\t\r\n]")


def normal(text: str) -> str | None:
    """The URL without user, fragment and default port, escapes spelt one way; None where it is no web address."""
    return joined(text, text) if "://" in text else None


def joined(base: str, link: str) -> str | None:
    """Where a link leads from a page, normal; None where that is no web address."""
    try:
        url = httpx.URL(base).join(_FOLDED.sub("", link.strip()))
        # Once more: default ports are known by schemes in small letters only.
        url = httpx.URL(str(url)).copy_with(userinfo=b"", fragment=None)
    except (httpx.InvalidURL, ValueError):
        return None
    parts = urlsplit(str(url))
    if url.scheme not in ("http", "https") or not url.host or "%" in url.host:
        return None
    if url.port is not None and not 0 < url.port < 65536:
        return None
    return _ESCAPE.sub(_spelt, parts._replace(path=parts.path or "/").geturl())


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
