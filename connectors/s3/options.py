"""What an S3 source is told: the bucket and prefix, where they are served, by whose right, and what to select."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from connectors import options, patterns
from connectors.secrets import secret
from kb.errors import ConfigError

_URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(?P<path>.*))?")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_SERVER = re.compile(
    rf"https?://({_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?(/[a-z0-9._~-]+)*", re.IGNORECASE | re.ASCII
)
_REGION = re.compile(r"[A-Za-z0-9-]+")


def location(value: object, base: Path) -> str:
    """`s3://BUCKET/PREFIX`, the prefix as it is spelt in the keys."""
    given = options.text(value, base)
    if not (options.waits(given) or _URL.fullmatch(given)):
        raise ValueError("must be s3://BUCKET or s3://BUCKET/PREFIX")
    return given


def server(value: object, base: Path) -> str:
    """The URL of an S3 server, without a bucket."""
    given = options.text(value, base).rstrip("/")
    if options.waits(given):
        return given
    if not given.lower().startswith(("https://", "http://")):
        raise ValueError("must be a server's URL with https://, or with http:// where it is to be read without TLS")
    if not _SERVER.fullmatch(given) or urlsplit(given).port == 0:
        raise ValueError(
            "must be a plain URL, host and path; access_key_id and secret_access_key have a place of their own"
        )
    return given


def region_name(value: object, base: Path) -> str:
    given = options.text(value, base)
    if not (options.waits(given) or _REGION.fullmatch(given)):
        raise ValueError("must be a region's name, such as eu-west-1")
    return given


def flag(value: object, base: Path) -> bool | str:
    if isinstance(value, bool) or options.waits(value):
        return value
    words = {"true": True, "yes": True, "false": False, "no": False}
    if not isinstance(value, str) or value.strip().lower() not in words:
        raise ValueError("must be true or false")
    return words[value.strip().lower()]


def seconds(value: object, base: Path) -> int | str:
    if options.waits(value):
        return value
    if (
        isinstance(value, bool)
        or not re.fullmatch(r"[0-9]{1,4}", str(value).strip())
        or not 1 <= int(str(value)) <= 3600
    ):
        raise ValueError("must be whole seconds, 1 to 3600")
    return int(str(value))


@dataclass(frozen=True, slots=True)
class S3Options:
    """`url` is `s3://BUCKET/PREFIX`; without `endpoint` it is read from Amazon's own servers.

    Raises ConfigError where the credentials given do not belong together.
    """

    url: Annotated[str, location]
    endpoint: Annotated[str | None, server] = None
    include: Annotated[tuple[str, ...], patterns.including] = ()
    exclude: Annotated[tuple[str, ...], patterns.split] = ()
    region: Annotated[str, region_name] = "us-east-1"
    access_key_id: Annotated[str | None, options.text] = None
    secret_access_key: Annotated[str | None, secret] = None
    session_token: Annotated[str | None, secret] = None
    anonymous: Annotated[bool, flag] = False
    path_style: Annotated[bool | None, flag] = None
    timeout_s: Annotated[int, seconds] = 30

    def __post_init__(self) -> None:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ConfigError(
                "s3 source: `access_key_id` and `secret_access_key` belong together: give both or neither"
            )
        if self.session_token is not None and self.access_key_id is None:
            raise ConfigError("s3 source: `session_token` needs `access_key_id` and `secret_access_key` beside it")
        if self.anonymous is True and self.access_key_id is not None:
            raise ConfigError("s3 source: `anonymous` and `access_key_id` exclude each other: leave one out")

    @property
    def bucket(self) -> str:
        return self._parts[0]

    @property
    def prefix(self) -> str:
        """What the keys begin with, up to and with a `/`; empty for the whole bucket."""
        path = self._parts[1]
        return path if not path or path.endswith("/") else path + "/"

    @property
    def _parts(self) -> tuple[str, str]:
        found = _URL.fullmatch(self.url)
        if found is None:
            raise ConfigError("s3 source: `url` must be s3://BUCKET or s3://BUCKET/PREFIX")
        return found["bucket"], found["path"] or ""
