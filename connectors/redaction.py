"""Words without the secrets that URLs carry."""

import re

_USER = re.compile(r"(?<=://)[^/\s]*@")
_QUERY = re.compile(r"(?<=\?)[^\s'\"]+")


def anonymous(words: str) -> str:
    """Without the users and passwords of URLs."""
    return _USER.sub("", words)


def redacted(words: str) -> str:
    """Without their users, passwords and queries."""
    return _QUERY.sub("…", anonymous(words))
