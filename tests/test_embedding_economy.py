"""Only the difference is embedded, counted at the embedder."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_model import DIMENSIONS, pieces
from workbench import Workbench, fill

from connectors.protocol import Entry, Fetched, Listing
from indexer.progress import Event
from indexer.sync import Synced

FEW = settings(max_examples=settings().max_examples // 12)
FEWEST = settings(max_examples=settings().max_examples // 25)
WORDS = [f"word{number}" if number % 3 else f"w{number}ing" for number in range(1_000)]

lengths = st.integers(3, 90)
seeds = st.integers(0, 2**32)


def paragraph(seed: int, words: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words)) + "."


def joined(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraphs)


paragraphs = st.builds(paragraph, seeds, lengths)
texts = st.lists(paragraphs | st.sampled_from(["# Heading", "- one\n- two"]), min_size=1, max_size=12).map(joined)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Two folders, `docs` and `notes`, and a `shelf`; each test leaves them as it likes."""
    made = Workbench(tmp_path_factory.mktemp("economy"), DIMENSIONS)
    for name in ("docs", "notes"):
        made.add_folder(name)
    made.add_unregistered("shelf")
    yield made
    made.close()


def begin(bench: Workbench, text: str) -> Path:
    """Indexes the one document `docs:a.md`, and nothing beside it."""
    for name in ("docs", "notes"):
        shutil.rmtree(bench.path / name)
        (bench.path / name).mkdir()
    fill(bench.path / "docs", {"a.md": text})
    bench.sync("docs", "notes")
    return bench.path / "docs" / "a.md"


def rename(bench: Workbench, path: Path) -> None:
    path.rename(path.with_name("b.md"))


def move_down(bench: Workbench, path: Path) -> None:
    (path.parent / "deep").mkdir()
    path.rename(path.parent / "deep" / "a.md")


def move_to_another_source(bench: Workbench, path: Path) -> None:
    path.rename(bench.path / "notes" / "c.md")


def copy(bench: Workbench, path: Path) -> None:
    shutil.copy(path, path.with_name("b.md"))


def copy_to_another_source(bench: Workbench, path: Path) -> None:
    shutil.copy(path, bench.path / "notes" / "a.md")


def delete(bench: Workbench, path: Path) -> None:
    path.unlink()


def delete_and_bring_back(bench: Workbench, path: Path) -> None:
    text = path.read_bytes()
    path.unlink()
    bench.sync("docs")
    path.write_bytes(text)


def revert(bench: Workbench, path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(b"Something else altogether.")
    bench.sync("docs")
    path.write_bytes(text)


CHANGES = [
    rename,
    move_down,
    move_to_another_source,
    copy,
    copy_to_another_source,
    delete,
    delete_and_bring_back,
    revert,
]


@pytest.mark.parametrize("change", CHANGES)
@settings(FEWEST)
@given(text=texts)
def test_what_was_embedded_once_is_not_embedded_again(
    bench: Workbench, change: Callable[[Workbench, Path], None], text: str
) -> None:
    path = begin(bench, text)
    change(bench, path)
    published: list[Synced] = []
    assert bench.embedded_by(lambda: published.extend(bench.sync("docs", "notes"))) == []
    changes = [snapshot for synced in published for snapshot in synced.published]
    assert changes, "there was something to publish"
    assert [snapshot.chunks.embedded for snapshot in changes] == [0] * len(changes)
    assert sum(snapshot.chunks.reused for snapshot in changes) == sum(snapshot.chunks.added for snapshot in changes)


@settings(FEW)
@given(text=texts, seconds=st.integers(1, 2_000_000_000))
def test_a_touch_embeds_and_publishes_nothing(bench: Workbench, text: str, seconds: int) -> None:
    os.utime(begin(bench, text), (seconds, seconds))
    published: list[Synced] = []
    assert bench.embedded_by(lambda: published.extend(bench.sync("docs"))) == []
    assert published[0].published == []


@settings(FEW)
@given(text=texts, another=texts)
def test_what_is_embedded_is_what_no_version_held(bench: Workbench, text: str, another: str) -> None:
    """Each new text once, though two documents hold it; and no text that was ever embedded."""
    path = begin(bench, text)
    known = set(bench.embedder.texts)
    fill(path.parent, {"a.md": another, "b.md": another})
    wanted = {piece.text for piece in pieces(("docs", "a.md"), another)} - known
    made = bench.embedded_by(lambda: bench.sync("docs"))
    assert sorted(made) == sorted(wanted)


def long_document(seed: int, low: int, high: int) -> list[str]:
    """300 paragraphs of so many words, a heading before every fortieth."""
    chance = random.Random(seed)
    document = [paragraph(chance.getrandbits(32), chance.randint(low, high)) for _ in range(300)]
    document[::40] = [f"## Section {number}" for number in range(len(document[::40]))]
    return document


LONG = {"even": (40, 40), "mixed": (5, 90), "short": (8, 20), "long": (70, 120)}


edits = st.tuples(st.integers(0, 299), paragraphs)


@pytest.mark.parametrize("shape", LONG)
@settings(FEWEST)
@given(seed=seeds, several=st.lists(edits, min_size=4, max_size=4, unique_by=lambda edit: edit[0]), top=paragraphs)
def test_an_edit_of_300_paragraphs_embeds_three_chunks_at_most(
    bench: Workbench, shape: str, seed: int, several: list[tuple[int, str]], top: str
) -> None:
    """A paragraph is changed, another one too, and so on; at last one is inserted at the top."""
    document = long_document(seed, *LONG[shape])
    path = begin(bench, joined(document))
    for at, new in several:
        document[at] = f"## {new[:30]}" if document[at].startswith("#") else new
        check_edit(bench, path, joined(document))
    check_edit(bench, path, joined([top, *document]))


def check_edit(bench: Workbench, path: Path, after: str) -> None:
    known = set(bench.embedder.texts)
    path.write_bytes(after.encode())
    made = bench.embedded_by(lambda: bench.sync("docs"))
    assert sorted(made) == sorted({piece.text for piece in pieces(("docs", "a.md"), after)} - known)
    assert len(made) <= 3


class Shelf:
    """A source whose documents carry metadata and access lists."""

    def __init__(self, text: str, access: tuple[str, ...], metadata: dict[str, str]) -> None:
        self._fetched = Fetched(text.encode(), access=access, metadata=metadata)

    def poll(self, checkpoint: str | None) -> Listing:
        stamp = f"{self._fetched.access} {self._fetched.metadata}"
        return Listing((Entry("a.md", stamp),), checkpoint="")

    def fetch(self, entry: Entry) -> Fetched:
        return self._fetched


metadata = st.dictionaries(st.sampled_from(["owner", "team"]), st.text(max_size=5))
access = st.lists(st.sampled_from(["staff", "legal"]), max_size=2).map(tuple)


@settings(FEW)
@given(text=texts, before=st.tuples(access, metadata), after=st.tuples(access, metadata))
def test_metadata_and_permissions_embed_nothing(
    bench: Workbench,
    text: str,
    before: tuple[tuple[str, ...], dict[str, str]],
    after: tuple[tuple[str, ...], dict[str, str]],
) -> None:
    bench.sync_with("shelf", Shelf(text, *before))
    published: list[Synced] = []
    assert bench.embedded_by(lambda: published.append(bench.sync_with("shelf", Shelf(text, *after)))) == []
    assert len(published[0].published) == (before[1] != after[1])
    for snapshot in published[0].published:
        assert (snapshot.chunks.added, snapshot.chunks.removed) == (0, 0)


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_an_interrupted_sync_goes_on_where_it_stopped(tmp_path: Path, batches: int) -> None:
    """Ctrl-C in the midst of embedding: what was made until then is never made again."""
    bench = Workbench(tmp_path, DIMENSIONS)
    text = joined(long_document(3, 40, 40))
    fill(bench.add_folder("docs"), {"a.md": text})
    begun = 0

    def interrupt(event: Event) -> None:
        nonlocal begun
        if event.step == "embed":
            begun += 1
            if begun > batches:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.sync("docs", observe=interrupt)
    made = list(bench.embedder.texts)
    assert bool(made) == bool(batches)
    rest = bench.embedded_by(lambda: bench.sync("docs"))
    assert rest
    assert sorted(made + rest) == sorted({piece.text for piece in pieces(("docs", "a.md"), text)})
    bench.close()
