"""The connector for LangChain's document loaders and LlamaIndex's readers: all is loaded once for each poll."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar

from connectors import patterns
from connectors.loader.identity import UnnamedError, common, page_of, readable, uri_by
from connectors.loader.options import LoaderOptions
from connectors.loader.process import Job, Record, load, record_at
from connectors.protocol import MAX_BYTES, Entry, Fetched, Listing
from kb.digest import digest
from kb.errors import DocumentGone, ExtractionError, SourceUnavailable

_SEPARATOR = b"\n\n"
# Names of files whose bytes are no plain text: what was loaded from them is no longer of that kind.
_CONVERTED = re.compile(
    r"\.(pdf|docx?|docm|dot|dotx|pptx?|pptm|pps|ppsx|potx|xlsx?|xlsm|xltx|xlsb|msg|od[tspg]|epub|rtf|ipynb|eml|mbox"
    r"|x?html?|zip|7z|rar|t?gz|bz2|xz|zst)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the documents of one name: where its record lies in the spill, and what is needed to put it in order."""

    place: int
    size: int
    sha256: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """What was loaded under one name, in order; its texts and its metadata stay in the spill."""

    parts: tuple[Part, ...]
    stamp: str

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts) + len(_SEPARATOR) * (len(self.parts) - 1)


class LoaderConnector:
    """Documents of one name are joined, by their page numbers where each has one, else in the loader's order.

    What was loaded lies in a file without a name, which goes with the connector, however that ends.
    """

    options_type: ClassVar[type[LoaderOptions]] = LoaderOptions

    def __init__(self, options: LoaderOptions, *, workspace: Path, max_bytes: int = MAX_BYTES) -> None:
        self._options = options
        self._selection = patterns.select(options.include, options.exclude)
        self._workspace = workspace / "loader"
        self._max_bytes = max_bytes
        self._spill: IO[bytes] | None = None
        self._documents: dict[str, Document] | None = None
        self._failure: str | None = None

    def poll(self, checkpoint: str | None) -> Listing:
        """Always all that the loader gives; it has no cursor."""
        documents = self._load()
        entries = (Entry(uri, document.stamp) for uri, document in sorted(documents.items()))
        return Listing(tuple(entries), checkpoint="")

    def fetch(self, entry: Entry) -> Fetched:
        """As it was loaded by the poll before; without one, all is loaded first."""
        if self._failure is not None:
            raise SourceUnavailable(self._failure)
        documents = self._load() if self._documents is None else self._documents
        document = documents.get(entry.uri)
        if document is None:
            raise DocumentGone(f"{entry.uri} is not among what {self._options.loader} loads")
        if document.size > self._max_bytes:
            words = f"{entry.uri} has {document.size:,} bytes, more than the {self._max_bytes:,} allowed"
            raise ExtractionError("too large", words)
        content = _SEPARATOR.join(map(self._content, self._records(document.parts)))
        metadata = self._metadata(self._records(document.parts))
        return Fetched(content, self._media_type(entry.uri), metadata=metadata)

    def close(self) -> None:
        """Gives back the disk space; the connector may still be used."""
        self._documents = self._failure = None
        if self._spill is not None:
            self._spill.close()
            self._spill = None

    def _load(self) -> dict[str, Document]:
        self.close()
        try:
            self._workspace.mkdir(parents=True, exist_ok=True)
            self._spill = tempfile.TemporaryFile(dir=self._workspace)  # noqa: SIM115
            parts = self._named(load(self._job(), self._spill))
            self._documents = {uri: self._document(uri, found) for uri, found in parts.items()}
        except OSError as error:
            self._failure = (
                f"loader {self._options.loader} cannot be run: {error.strerror}: {error.filename or self._workspace}"
            )
            raise SourceUnavailable(self._failure) from error
        except SourceUnavailable as error:
            # Asked for a thousand documents, it is not run a thousand times.
            self._failure = str(error)
            raise
        return self._documents

    def _job(self) -> Job:
        options = self._options
        return Job(
            options.loader,
            _given("arguments", options.arguments),
            _given("load_arguments", options.load_arguments),
            options.directory or self._workspace.absolute(),
            options.directory is not None,
            self._max_bytes,
            options.timeout_s,
            options.memory_mb,
        )

    def _named(self, records: Iterable[Record]) -> Mapping[str, list[Part]]:
        """The selected documents' parts by URI. Raises SourceUnavailable where one has no name."""
        named: defaultdict[str, list[Part]] = defaultdict(list)
        for number, record in enumerate(records, 1):
            try:
                uri = uri_by(self._options.id, record.own_id, record.metadata)
            except UnnamedError as error:
                raise SourceUnavailable(f"loader {self._options.loader}: its document {number} {error}") from error
            if self._selection.selects(uri):
                named[uri].append(Part(record.place, record.size, record.sha256, page_of(record.metadata)))
        return named

    def _document(self, uri: str, found: Sequence[Part]) -> Document:
        pages = [part.page for part in found if part.page is not None]
        parts = sorted(found, key=lambda part: part.page or 0) if len(pages) == len(found) else found
        digests = [part.sha256 for part in parts]
        metadata = self._metadata(self._records(parts))
        return Document(tuple(parts), digest("loaded", digests, metadata, self._media_type(uri))[:32])

    def _metadata(self, records: Iterable[Record]) -> dict[str, str]:
        shared = common(record.metadata for record in records)
        return {readable(key): readable(value) for key, value in shared.items() if not self._ignores(key)}

    def _ignores(self, key: str) -> bool:
        return any(key == name or key.startswith(f"{name}.") for name in self._options.ignore)

    def _media_type(self, uri: str) -> str:
        """Text that was made from another format is not of the kind that its name says; else the name tells."""
        path = PurePosixPath(uri.split("?")[0].split("#")[0])
        return self._options.media_type or ("text/markdown" if _CONVERTED.fullmatch(path.suffix) else "text/plain")

    def _records(self, parts: Iterable[Part]) -> Iterator[Record]:
        assert self._spill is not None, "it was loaded"
        return map(partial(record_at, self._spill), (part.place for part in parts))

    def _content(self, record: Record) -> bytes:
        assert self._spill is not None, "it was loaded"
        self._spill.seek(record.offset)
        return self._spill.read(record.size)


def _given(name: str, arguments: Mapping[str, object] | str | None) -> Mapping[str, object]:
    if isinstance(arguments, str):
        raise SourceUnavailable(f"loader source: `{name}` is {arguments}, which stands for nothing; set that variable")
    return arguments or {}
