"""One page of a bucket's listing (ListObjectsV2), read from its XML."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus
from xml.etree import ElementTree

PAGE_BYTES = 32 * 2**20
"""A thousand keys of 1,024 bytes, each written `%XX`, take less."""


class NotAListing(Exception):
    """What was answered is no page of a listing; its text says why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its key, and evidence of change."""

    key: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Page:
    """`token` names the page that follows; None at the end."""

    objects: tuple[Listed, ...]
    token: str | None


def page(content: bytes) -> Page:
    """Raises NotAListing."""
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NotAListing("it is not well-formed XML") from error
    if root.tag.rpartition("}")[2] != "ListBucketResult":
        raise NotAListing("it is not XML of a listing")
    space = root.tag.rpartition("ListBucketResult")[0]
    encoded = root.findtext(f"{space}EncodingType") == "url"
    objects = tuple(_listed(element, space, encoded) for element in root.iterfind(f"{space}Contents"))
    return Page(objects, _token(root, space))


def _token(root: ElementTree.Element, space: str) -> str | None:
    truncated = (root.findtext(f"{space}IsTruncated") or "").strip()
    if truncated not in ("true", "false"):
        raise NotAListing("it does not tell whether it is complete")
    token = root.findtext(f"{space}NextContinuationToken")
    if truncated == "true" and not token:
        raise NotAListing("it is incomplete and does not tell how it goes on")
    return token if truncated == "true" else None


def _listed(element: ElementTree.Element, space: str, encoded: bool) -> Listed:
    key = element.findtext(f"{space}Key")
    if not key:
        raise NotAListing("it holds an object without a key")
    return Listed(_decoded(key) if encoded else key, " ".join(_evidence(element, space)))


def _decoded(key: str) -> str:
    return unquote_plus(key, errors="surrogateescape")


def _evidence(element: ElementTree.Element, space: str) -> Iterator[str]:
    """ETag and size; where there is no strong ETag, the time of the last change too."""
    etag, size, modified = (
        (element.findtext(f"{space}{name}") or "").strip() for name in ("ETag", "Size", "LastModified")
    )
    if not etag and not modified:
        raise NotAListing("it tells neither ETag nor LastModified of an object")
    yield etag.strip('"')
    yield size
    if not etag or etag.startswith("W/"):
        yield modified
