"""What every connector promises, held against every kind: complete or raised, and a deletion is a deletion."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.protocol import Closeable, Connector, Entry, Historical, Listing
from kb.errors import DocumentGone, DocumentUnavailable, SourceUnavailable

HOSTILE = [
    b"a b.md",
    b'it\'s "quoted".md',
    b"two\nlines.md",
    b"caf\xe9.md",
    "é/ü.md".encode(),
    b"50%25.md",
    b"-x.md",
    b":(glob).md",
]


class Follower:
    """What an index would know of a source: it takes each listing in order, and fetches what it must."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.checkpoint: str | None = None
        self.entries: dict[str, Entry] = {}
        self.contents: dict[str, bytes] = {}
        self.fetched: list[str] = []

    def follow(self) -> list[Listing]:
        """Raises whatever the connector raises, having changed nothing."""
        listings = list(self._listings())
        self.fetched = []
        for listing in listings:
            self._take(listing)
        return listings

    def _listings(self) -> Iterator[Listing]:
        if isinstance(self.connector, Historical) and self.connector.keeps_history:
            yield from self.connector.history(self.checkpoint)
        else:
            yield self.connector.poll(self.checkpoint)

    def _take(self, listing: Listing) -> None:
        known = {entry.uri for entry in listing.entries}
        gone = self.entries.keys() - known if listing.removed is None else listing.removed
        for uri in gone:
            del self.entries[uri], self.contents[uri]
        for entry in listing.entries:
            if entry.uri not in self.entries or self.entries[entry.uri].stamp != entry.stamp:
                self.contents[entry.uri] = self.connector.fetch(entry).content
                self.fetched.append(entry.uri)
            self.entries[entry.uri] = entry
        self.checkpoint = listing.checkpoint


@pytest.fixture(scope="session")
def follow():
    """Makes followers of worlds, and closes their connectors."""
    made = []

    def make(world) -> Follower:
        made.append(Follower(world.connector()))
        return made[-1]

    yield make
    for follower in made:
        if isinstance(follower.connector, Closeable):
            follower.connector.close()


@pytest.fixture
def follower(world, follow):
    return follow(world)


def fill(world, **files: bytes) -> None:
    for name, content in files.items():
        world.write(f"{name}.md".encode(), content)
    world.save()


def test_the_first_listing_is_complete(world, follower) -> None:
    fill(world, b=b"2", a=b"1")
    (listing,) = follower.follow()
    assert listing.removed is None
    assert [entry.uri for entry in listing.entries] == [world.uri(b"a.md"), world.uri(b"b.md")]


def test_entries_are_unique_and_in_order(world, follower) -> None:
    for name in [b"z/a.md", b"z.md", b"z-a.md", b"A.md", b"a/b/c.md", b"\xc3\xa9.md"]:
        world.write(name, name)
    world.save()
    (listing,) = follower.follow()
    uris = [entry.uri for entry in listing.entries]
    assert len(uris) == 6
    assert uris == sorted(set(uris))


def test_fetching_gives_the_bytes(world, follower) -> None:
    content = bytes(range(256)) * 1000
    fill(world, a=content, empty=b"", line=b"\r\n")
    follower.follow()
    assert follower.contents == {
        world.uri(b"a.md"): content,
        world.uri(b"empty.md"): b"",
        world.uri(b"line.md"): b"\r\n",
    }


def test_times_are_in_utc(world, follower) -> None:
    fill(world, a=b"1")
    (listing,) = follower.follow()
    modified = follower.connector.fetch(listing.entries[0]).modified_at
    assert all(time is None or time.utcoffset().total_seconds() == 0 for time in (modified, listing.time))


def test_without_a_change_nothing_is_fetched_and_stamps_stay(world, follower) -> None:
    fill(world, a=b"1", b=b"2")
    follower.follow()
    before = dict(follower.entries)
    follower.follow()
    assert follower.fetched == []
    assert follower.entries == before


def test_a_connector_made_anew_gives_the_same_stamps(world, follower) -> None:
    fill(world, a=b"1", b=b"2")
    (listing,) = follower.follow()
    assert world.connector().poll(None).entries == listing.entries


def test_only_what_changed_is_fetched(world, follower) -> None:
    fill(world, a=b"1", b=b"2")
    follower.follow()
    fill(world, b=b"3")
    follower.follow()
    assert follower.fetched == [world.uri(b"b.md")]
    assert follower.contents == {world.uri(b"a.md"): b"1", world.uri(b"b.md"): b"3"}


def test_an_edit_of_the_same_size_is_a_change(world, follower) -> None:
    fill(world, a=b"1")
    follower.follow()
    fill(world, a=b"2")
    follower.follow()
    assert follower.contents == {world.uri(b"a.md"): b"2"}


def test_a_deletion_is_a_deletion(world, follower) -> None:
    fill(world, a=b"1", b=b"2")
    follower.follow()
    world.delete(b"a.md")
    world.save()
    follower.follow()
    assert follower.contents == {world.uri(b"b.md"): b"2"}


def test_the_last_document_may_go(world, follower) -> None:
    fill(world, a=b"1")
    follower.follow()
    world.delete(b"a.md")
    world.save()
    follower.follow()
    assert follower.contents == {}


def test_a_rename_is_a_deletion_and_an_addition(world, follower) -> None:
    fill(world, a=b"1")
    follower.follow()
    world.delete(b"a.md")
    fill(world, c=b"1")
    follower.follow()
    assert follower.contents == {world.uri(b"c.md"): b"1"}


def test_a_file_may_become_a_directory(world, follower) -> None:
    world.write(b"a", b"1")
    world.save()
    follower.follow()
    world.delete(b"a")
    world.write(b"a/b.md", b"2")
    world.save()
    follower.follow()
    assert follower.contents == {world.uri(b"a/b.md"): b"2"}


def test_an_unreadable_source_raises_and_deletes_nothing(world, follower) -> None:
    fill(world, a=b"1", b=b"2")
    follower.follow()
    world.break_down()
    with pytest.raises(SourceUnavailable) as caught:
        follower.follow()
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    world.mend()
    follower.follow()
    assert follower.contents == {world.uri(b"a.md"): b"1", world.uri(b"b.md"): b"2"}


def test_a_source_that_was_never_there_raises(world, follow) -> None:
    world.break_down()
    with pytest.raises(SourceUnavailable):
        follow(world).follow()


def test_what_is_not_there_cannot_be_fetched(world, follower) -> None:
    fill(world, a=b"1")
    (listing,) = follower.follow()
    with pytest.raises(DocumentGone):
        follower.connector.fetch(Entry(world.uri(b"none.md"), "", listing.entries[0].locator))


def test_an_entry_that_makes_no_sense_is_refused(world, follower) -> None:
    fill(world, a=b"1")
    follower.follow()
    for uri in ("../a.md", "/etc/hostname", "", ".", "a.md/..", "a%00b", "sub//a.md"):
        with pytest.raises(DocumentUnavailable):
            follower.connector.fetch(Entry(uri, "", ""))


def test_hostile_names_have_addresses(world, follower) -> None:
    names = [name for name in HOSTILE if world.holds(name)]
    assert len(names) >= 5
    for name in names:
        world.write(name, b"content of " + name)
    world.save()
    follower.follow()
    assert follower.contents == {world.uri(name): b"content of " + name for name in names}
    assert all(uri.encode("utf-8").isascii() or uri.isprintable() for uri in follower.contents)


def test_composed_and_decomposed_names_are_two_documents(world, follower) -> None:
    composed, decomposed = "\u00e9.md".encode(), "e\u0301.md".encode()
    world.write(composed, b"1")
    world.write(decomposed, b"2")
    world.save()
    follower.follow()
    assert follower.contents == {world.uri(composed): b"1", world.uri(decomposed): b"2"}


NAMES = st.sampled_from([b"a.md", b"b.md", b"d/a.md", b"d/e/b.md", b"\xff.md"])
EDITS = st.lists(st.one_of(st.tuples(NAMES, st.binary(max_size=3)), st.tuples(NAMES, st.none())), max_size=6)


@settings(max_examples=12)
@given(rounds=st.lists(EDITS, min_size=1, max_size=4))
def test_following_any_edits_leads_to_what_is_there(kind, rounds, tmp_path_factory, follow) -> None:
    with closing(kind(tmp_path_factory.mktemp("world"))) as world:
        follower = follow(world)
        model: dict[bytes, bytes] = {}
        for edits in rounds:
            _edit(world, model, [edit for edit in edits if world.holds(edit[0])])
            follower.follow()
            assert follower.contents == {world.uri(name): content for name, content in model.items()}


def _edit(world, model: dict[bytes, bytes], edits: list[tuple[bytes, bytes | None]]) -> None:
    for name, content in edits:
        if content is not None:
            world.write(name, content)
            model[name] = content
        elif name in model:
            world.delete(name)
            del model[name]
    world.save()
