"""A source that is a dictionary: its documents carry times, metadata and access lists, as some sources' do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.protocol import Entry, Fetched, Listing


@dataclass(frozen=True, slots=True)
class Paper:
    """A document on a shelf."""

    text: str
    modified_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    access: tuple[str, ...] | None = None


class Shelf:
    """`fetched` holds the URIs that were read, in order."""

    def __init__(self, papers: Mapping[str, Paper]) -> None:
        self.papers = dict(papers)
        self.fetched: list[str] = []

    def poll(self, checkpoint: str | None) -> Listing:
        return Listing(tuple(Entry(uri, stamp=repr(paper)) for uri, paper in self.papers.items()), checkpoint="")

    def fetch(self, entry: Entry) -> Fetched:
        self.fetched.append(entry.uri)
        paper = self.papers[entry.uri]
        return Fetched(paper.text.encode(), modified_at=paper.modified_at, access=paper.access, metadata=paper.metadata)
