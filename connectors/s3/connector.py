"""The connector for a bucket: every object below a prefix that the patterns select."""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from connectors import patterns
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from connectors.s3.address import PAGE_KEYS, address, reachable
from connectors.s3.listing import PAGE_BYTES, NotAListing, Page, page
from connectors.s3.options import S3Options
from connectors.s3.signing import Signer
from connectors.uri import escaped, path_of
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError, SourceUnavailable

if TYPE_CHECKING:
    from connectors.s3.wire import Answer, Wire


class S3Connector:
    """Lists by ETag and size; URIs are keys relative to the prefix. Left out and counted: directory markers."""

    options_type: ClassVar[type[S3Options]] = S3Options

    def __init__(self, options: S3Options, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._options = options
        self._selection = patterns.select(options.include, options.exclude)
        self._max_bytes = max_bytes
        self._subject = f"bucket {options.bucket} at {options.endpoint or 'Amazon S3'}"
        self._signer = Signer(options, address(options), self._subject)

    def poll(self, checkpoint: str | None) -> Listing:
        """Always the whole listing, whatever the checkpoint; a bucket has no cursor."""
        entries: dict[str, Entry] = {}
        skipped: Counter[str] = Counter()
        for listed in (listed for each in self._pages() for listed in each.objects):
            uri = escaped(self._relative(listed.key))
            if uri.endswith("/") or not uri:
                skipped["directory marker"] += 1
            elif self._selection.selects(uri):
                entries[uri] = Entry(uri, listed.stamp)
        return Listing(tuple(entries[uri] for uri in sorted(entries)), checkpoint="", skipped=dict(skipped))

    def fetch(self, entry: Entry) -> Fetched:
        """What the object holds now; the revision says which version that is, also where it is newer than listed."""
        from connectors.s3.reading import fetched
        from connectors.s3.wire import NoAnswer, TooLarge

        url = self._signer.object_url(self._key(entry.uri))
        try:
            answer = self._wire.get(url, self._max_bytes)
        except TooLarge as error:
            message = f"{entry.uri} has more than the {self._max_bytes:,} bytes allowed"
            raise ExtractionError("too large", message) from error
        except NoAnswer as error:
            self._require_bucket()
            raise DocumentUnavailable(f"{entry.uri} cannot be read: {error}") from error
        if answer.status != 200:
            raise self._refused(entry.uri, answer)
        return fetched(answer)

    def close(self) -> None:
        """Ends its connections; the connector may still be used."""
        if "_wire" in self.__dict__:
            self._wire.close()

    @cached_property
    def _wire(self) -> "Wire":
        from connectors.s3.wire import Wire

        return Wire(self._options.timeout_s)

    def _pages(self) -> Iterator[Page]:
        token: str | None = None
        seen: set[str] = set()
        while True:
            now = self._page(token)
            yield now
            token = now.token
            if token is None:
                return
            if token in seen:
                raise self._no_listing("it goes in circles")
            seen.add(token)

    def _page(self, token: str | None, keys: int = PAGE_KEYS) -> Page:
        from connectors.s3.refusal import refusal
        from connectors.s3.wire import NoAnswer, TooLarge

        try:
            answer = self._wire.get(self._signer.page_url(token, keys), PAGE_BYTES)
            if answer.status == 200:
                return page(answer.content)
        except TooLarge as error:
            raise self._no_listing("it is too long") from error
        except NotAListing as error:
            raise self._no_listing(str(error)) from error
        except NoAnswer as error:
            raise self._unreachable(error) from error
        said = refusal(answer).words(self._options)
        raise SourceUnavailable(f"{self._subject} answers {said}")

    def _require_bucket(self) -> None:
        """Raises SourceUnavailable where not one object but the bucket cannot be read."""
        self._page(None, keys=1)

    def _relative(self, key: str) -> str:
        if not key.startswith(self._options.prefix):
            raise self._no_listing("it holds keys outside of the prefix")
        return key.removeprefix(self._options.prefix)

    def _key(self, uri: str) -> bytes:
        relative = path_of(uri)
        key = self._options.prefix.encode("utf-8") + relative
        if not relative or not reachable(key):
            shown = uri or "an empty name"
            raise DocumentUnavailable(
                f"{shown} cannot be read: no URL leads to a key with a step `.` or `..`; rename it"
            )
        return key

    def _refused(self, uri: str, answer: "Answer") -> DocumentUnavailable:
        from connectors.s3.refusal import refusal

        said = refusal(answer)
        if said.code == "NoSuchKey":
            return DocumentGone(f"{uri} is no longer in {self._subject}")
        if said.code == "InvalidObjectState":
            archive = said.storage_class or "an archive"
            return DocumentUnavailable(f"{uri} is stored in {archive}; restore it, or leave it out by `exclude`")
        self._require_bucket()
        return DocumentUnavailable(f"{uri} cannot be read: {said.words(self._options)}")

    def _unreachable(self, error: Exception) -> SourceUnavailable:
        key = "endpoint" if self._options.endpoint else "region"
        return SourceUnavailable(f"{self._subject}: {error}; check the network and `{key}`, or try again later")

    def _no_listing(self, why: str) -> SourceUnavailable:
        return SourceUnavailable(
            f"{self._subject} did not answer with a listing: {why}; correct `endpoint`, or try again"
        )
