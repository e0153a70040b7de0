"""Answers as replies: the contract's JSON, the version that served, and a tag for what never changes by itself."""

import hashlib
import json
import re
from typing import Any, Final

from fastapi import Request, Response

from kb.answers import plain
from kb.http.labels import VERSION

_NUMBER: Final = re.compile(r"[0-9]{1,12}")
_TAG: Final = re.compile(r'"[^"]*"')


def reply(value: Any, version: int) -> Response:
    """An answer that the version gave."""
    return Response(rendered(value), headers={VERSION: str(version)}, media_type="application/json")


def lasting(request: Request, value: Any, version: int, *references: str) -> Response:
    """The same; where all references are versions' numbers with an ETag, and 304 for one who has it already.

    The tag is the body's: a tag may be given to an old version, and a document's life may end, after it was read.
    """
    answer = reply(value, version)
    if not all(_NUMBER.fullmatch(reference) for reference in references):
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    # To be kept by the one who asked, and used again only after asking again: access may have been taken away.
    headers = {VERSION: str(version), "ETag": tag, "Cache-Control": "private, no-cache"}
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


def rendered(value: Any) -> bytes:
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # Half of a pair of surrogates, which a document may hold, can only be written escaped.
        return json.dumps(plain(value), allow_nan=False).encode("ascii")


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in _TAG.findall(header)
