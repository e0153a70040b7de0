"""Where a bucket's listing and its objects are on the web: pure spelling of URLs.

Amazon serves a bucket as a host of its own (`BUCKET.s3.REGION…`), other servers mostly as a path (`HOST/BUCKET`).
"""

from dataclasses import dataclass
from urllib.parse import quote

from connectors.s3.options import S3Options

PAGE_KEYS = 1000
"""As many as S3 ever gives at once."""


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket's own URL, without a `/` at its end."""

    root: str

    def page_url(self, prefix: str, token: str | None, keys: int = PAGE_KEYS) -> str:
        """The URL of the listing's page that the token names, of its first without one."""
        query = {"encoding-type": "url", "list-type": "2", "max-keys": str(keys), "prefix": prefix}
        if token is not None:
            query["continuation-token"] = token
        return f"{self.root}?" + "&".join(f"{name}={_quoted(value)}" for name, value in query.items())

    def object_url(self, key: bytes) -> str:
        """The URL of the object with that key."""
        return f"{self.root}/{quote(key, safe='/~')}"


def address(options: S3Options) -> Address:
    """By path where another server than Amazon's is given, or where a `.` in the bucket's name would break TLS."""
    by_path = options.path_style
    if by_path is None:
        by_path = options.endpoint is not None or "." in options.bucket
    scheme, _, host = (options.endpoint or _amazon(options.region)).partition("://")
    return Address(f"{scheme}://{host}/{options.bucket}" if by_path else f"{scheme}://{options.bucket}.{host}")


def reachable(key: bytes) -> bool:
    """Whether a URL can name the key at all: every client resolves `.` and `..`, and an empty key is the bucket."""
    return key != b"" and not {b".", b".."}.intersection(key.split(b"/"))


def _amazon(region: str) -> str:
    return f"https://s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _quoted(value: str) -> str:
    return quote(value, safe="~", errors="surrogateescape")
