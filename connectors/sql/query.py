"""A query's text: one SELECT that can stand as a subquery.

What runs it is a transaction that may only read; this is to tell early what would fail late, or read something else.
"""

import re

_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | (?P<tag>\$\w*\$).*?(?P=tag) | --[^\n]* | /\*.*?\*/
      | (?P<open>\() | (?P<close>\)) | (?P<end>;)""",
    re.VERBOSE | re.DOTALL,
)
_BEGINS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


def select(query: str) -> str:
    """The query without white space around it and without semicolons at its end. Raises ValueError."""
    if _UNFIT.search(query):
        raise ValueError("must be valid UTF-8 without NUL")
    body = _without_end(query)
    if not _BEGINS.match(body):
        raise ValueError("must be a SELECT")
    if _depths(body)[-1] != 0 or min(_depths(body)) < 0:
        raise ValueError("has parentheses that do not match")
    return body


def _without_end(query: str) -> str:
    ends = [token.start() for token in _TOKEN.finditer(query) if token["end"]]
    if not ends:
        return query.strip()
    body, rest = query[: ends[0]], query[ends[0] :]
    if _TOKEN.sub(lambda token: "" if token["end"] or token[0][:2] in ("--", "/*") else token[0], rest).strip():
        raise ValueError("must be a single SELECT; something follows its `;`")
    return body.strip()


def _depths(body: str) -> list[int]:
    """How many parentheses are open, at first and after each of them."""
    depths = [0]
    for token in _TOKEN.finditer(body):
        if token["open"] or token["close"]:
            depths.append(depths[-1] + (1 if token["open"] else -1))
    return depths
