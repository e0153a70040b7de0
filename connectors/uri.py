"""A document's name within its source: its path with `/`, as text that any UTF-8 writer takes and one line holds.

Bytes that are not UTF-8 and control characters are written `%XX`; so is a `%` that would otherwise read as such an
escape (`100%25.md` becomes `100%2525.md`, `100%.md` stays). Different paths therefore never share a URI. Unicode is
left as it is spelt: NFC and NFD are different names to a file system, so they are different documents here.
"""

import re

_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|%(?=[0-9A-Fa-f]{2})")


def uri_of(path: bytes) -> str:
    """The URI of a path's bytes."""
    return escaped(path.decode("utf-8", "surrogateescape"))


def escaped(path: str) -> str:
    """The URI of a path that was decoded with `surrogateescape`; anything so decoded can be printed after this."""
    if path.isascii() and path.isprintable() and "%" not in path:
        return path
    return _TO_ESCAPE.sub(_escape, path)


def path_of(uri: str) -> bytes:
    """The path's bytes: the inverse of `uri_of`."""
    if "%" not in uri:
        return uri.encode("utf-8")
    parts = _ESCAPED.split(uri)
    return b"".join(bytes.fromhex(part) if index % 2 else part.encode("utf-8") for index, part in enumerate(parts))


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogateescape"))
