"""Where a server is, and how it is told that it cannot be reached."""

from collections.abc import Mapping
from typing import Any

import httpx

from kb.client.call import Call
from kb.errors import Unreachable, UsageError


def url_of(text: str) -> httpx.URL:
    """Raises UsageError."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError) as error:
        raise UsageError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"{text!r} is not the URL of a server: give one such as http://localhost:8710")
    if url.userinfo:
        raise UsageError(f"a key belongs into `token`, not into the URL of {url.host}")
    return url


def headers(call: Call[Any]) -> Mapping[str, str]:
    return {} if call.body is None else {"Content-Type": "application/json"}


def unreachable(url: httpx.URL, error: httpx.HTTPError) -> Unreachable:
    words = str(error) or type(error).__name__
    return Unreachable(
        f"{url.scheme}://{url.netloc.decode('ascii')} does not answer: {words}; is `kb serve` running there?"
    )
