"""Whatever names a version means the one that it should, or is refused with a reason."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crash_support import QuickWriter, commit, git, sync, write
from hypothesis import given
from hypothesis import strategies as st

import kb
from indexer.creation import create
from kb.base import KnowledgeBase
from kb.catalog import names, snapshots
from kb.clock import format_instant
from kb.errors import NotFound, UsageError
from kb.reference import check_tag, resolve

TIMES = (
    datetime(2024, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 2, 1, 0, 0, 0, tzinfo=UTC),
    datetime(2024, 2, 1, 12, 30, 0, 500_000, tzinfo=UTC),
    datetime(2024, 2, 1, 12, 30, 0, 500_000, tzinfo=UTC),
    datetime(2024, 2, 29, 8, 0, 0, tzinfo=UTC),
)
"""When the five versions of `dated` were published; two of them at one moment."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Version 1 of a folder, 2 to 4 of a repository with a commit each on days 2, 5 and 8 and idle ones between."""
    path = tmp_path_factory.mktemp("references")
    home = create(path / "home", "hashing:16")[0].path
    writer = QuickWriter(home)
    write(path / "docs", {"one.md": "# One\n\nalpha"})
    writer.add_source("docs", "folder", {"path": str(path / "docs")})
    sync(home)
    options = {"url": str(path / "repository"), "history": "all", "include": "*.md"}
    commit(path / "repository", {"idle.py": "1"}, day=1)
    for day in (2, 5):
        commit(path / "repository", {"two.md": f"# Two\n\nday {day}"}, day=day)
        commit(path / "repository", {"idle.py": f"{day}"}, day=day + 1)
    writer.add_source("code", "git", options)
    sync(home)
    commit(path / "repository", {"two.md": "# Two\n\nday 8"}, day=8)
    sync(home)
    commit(path / "repository", {"idle.py": "9"}, day=9)
    sync(home)
    with kb.open(home) as opened:
        opened.tag("release/1.0", 2)
        opened.tag("latest.good", "head")
        yield opened


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Five versions, published at `TIMES`."""
    path = tmp_path_factory.mktemp("dated")
    home = create(path / "home", "hashing:16")[0].path
    QuickWriter(home).add_source("docs", "folder", {"path": str(path / "docs")})
    for version in range(1, len(TIMES) + 1):
        write(path / "docs", {"one.md": f"# One\n\nversion {version}"})
        sync(home)
    with sqlite3.connect(home / "catalog.sqlite") as connection:
        for version, time in enumerate(TIMES, 1):
            statement = "UPDATE snapshot SET committed_at = ? WHERE version = ?"
            connection.execute(statement, (format_instant(time), version))
    connection.close()
    with kb.open(home) as opened:
        yield opened


def meant(base: KnowledgeBase, reference: str | int) -> int:
    with base.catalog.reading() as connection:
        return resolve(connection, reference)


def commits(base: KnowledgeBase) -> list[str]:
    """All commits, oldest first: of days 1, 2, 3, 5, 6, 8 and 9."""
    repository = Path(str(base.source("code").options["url"]))
    return git(repository, "rev-list", "--reverse", "HEAD").split()


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("head", 4),
        ("head~", 3),
        ("head~0", 4),
        ("head~1", 3),
        ("head~3", 1),
        (" head ", 4),
        ("3", 3),
        (3, 3),
        ("0003", 3),
        ("release/1.0", 2),
        ("latest.good", 4),
        ("code@2024-01-01", 1),
        ("code@2024-01-02", 2),
        ("code@2024-01-03", 2),
        ("code@2024-01-04", 2),
        ("code@2024-01-05", 3),
        ("code@2024-01-07", 3),
        ("code@2024-01-08", 4),
        ("code@2024-01-09", 4),
        ("code@2030-01-01", 4),
        ("code@2024-01-05T11:59:59Z", 2),
        ("code@2024-01-05T12:00:00Z", 3),
        ("code@2024-01-05T13:00:00+01:00", 3),
        ("code@2024-01-05T12:59:59+01:00", 2),
        ("code@2024-01-05T07:00:00-05:00", 3),
        ("code@2024-01-05T12:00:00", 3),
        ("code@2024-01-05 12:00", 3),
    ],
)
def test_meaning(base: KnowledgeBase, reference: str | int, version: int) -> None:
    assert meant(base, reference) == version


@pytest.mark.parametrize(("place", "version"), [(0, 1), (1, 2), (2, 2), (3, 3), (4, 3), (5, 4), (6, 4)])
@pytest.mark.parametrize("length", [4, 7, 12, 40])
def test_commits(base: KnowledgeBase, place: int, version: int, length: int) -> None:
    """Also those that changed no document: the version is that of the commit before them."""
    known = commits(base)
    prefix = known[place][:length]
    assert sum(commit.startswith(prefix) for commit in known) == 1
    assert meant(base, f"code@{prefix}") == version


def test_the_source_s_own_time_is_not_the_publication_s(base: KnowledgeBase) -> None:
    """All was published today, whatever the commits' days."""
    with pytest.raises(NotFound, match="nothing was published by 2024-01-08"):
        meant(base, "2024-01-08")
    assert meant(base, datetime.now(UTC).date().isoformat()) == 4


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("5", NotFound, "version 5 does not exist; the newest is 4"),
        ("0", NotFound, "version 0 does not exist"),
        ("-1", NotFound, "'-1'"),
        ("head~4", NotFound, r"head~4 is before the first version; the newest is"),
        ("head~999999999999", NotFound, "head~999999999999"),
        ("release/1", NotFound, "did you mean 'release/1.0'"),
        ("", NotFound, "''"),
        ("nonsense", NotFound, "kb tag --list"),
        ("2024-02-30", NotFound, "2024-02-30"),
        ("2024-13-01T00:00:00Z", NotFound, "2024-13-01"),
        ("1999-01-01", NotFound, "nothing was published by 1999-01-01"),
        ("9" * 13, NotFound, "9999"),
        ("code@2023-12-31", NotFound, "'code' has no state as old as 2023-12-31"),
        ("code@0000000", NotFound, "'code' was never seen at revision '0000000'"),
        ("code@abc", UsageError, "'abc' is too short.*at least 4"),
        ("code@", UsageError, "too short"),
        ("none@abcdef", NotFound, "no source is called 'none'"),
        ("docs@abcdef", NotFound, "'docs' was never seen"),
        ("docs@2030-01-01", NotFound, "'docs'"),
        ("@abcdef", NotFound, "no source is called ''"),
    ],
)
def test_refusals(base: KnowledgeBase, reference: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        meant(base, reference)


def test_an_ambiguous_revision_is_refused(base: KnowledgeBase) -> None:
    revisions = ("abcd1111", "abcd1122", "abcd2222", "abcd")
    with base.catalog.writing() as connection:
        names.set_revisions(connection, "docs", [(revision, None) for revision in revisions], 1)
    with pytest.raises(UsageError, match="'abcd1' of 'docs' is ambiguous: abcd1111, abcd1122"):
        meant(base, "docs@abcd1")
    assert meant(base, "docs@abcd2") == 1
    assert meant(base, "docs@abcd") == 1


def test_the_version_that_served_is_in_the_reply(base: KnowledgeBase) -> None:
    served = base.search("day", as_of="code@2024-01-05").as_of
    assert (served.reference, served.version) == ("code@2024-01-05", 3)
    assert served.digest == base.show(3).snapshot.digest


# Dates of publication, against a plain list


def newest(until: datetime) -> int:
    return sum(time <= until for time in TIMES)


def check_time(dated: KnowledgeBase, reference: str, until: datetime) -> None:
    if newest(until):
        assert meant(dated, reference) == newest(until)
    else:
        with pytest.raises(NotFound, match="nothing was published by"):
            meant(dated, reference)


@given(day=st.dates(datetime(2024, 1, 25).date(), datetime(2024, 3, 5).date()))
def test_a_date_means_its_end(dated: KnowledgeBase, day: object) -> None:
    end = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1, microseconds=-1)
    check_time(dated, str(day), end)


moments = st.one_of(
    st.datetimes(datetime(2024, 1, 31), datetime(2024, 3, 1)),
    st.builds(
        lambda time, microseconds: time.replace(tzinfo=None) + timedelta(microseconds=microseconds),
        st.sampled_from(TIMES),
        st.integers(-2, 2),
    ),
)


@given(moment=moments, offset=st.integers(-14 * 60, 14 * 60))
def test_a_time_means_its_moment_in_any_zone(dated: KnowledgeBase, moment: datetime, offset: int) -> None:
    """RFC 3339: with an offset, `Z` or `z`, `T` or `t` or a space; without a zone it is UTC."""
    instant = moment.replace(tzinfo=UTC)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    local = (moment + timedelta(minutes=offset)).isoformat(timespec="microseconds")
    for written in (f"{local}{zone}", f"{local.replace('T', ' ')}{zone}", f"{local.replace('T', 't')}{zone}"):
        check_time(dated, written, instant)
    plain = moment.isoformat(timespec="microseconds")
    for written in (f"{plain}Z", f"{plain}z", plain):
        check_time(dated, written, instant)


@given(text=st.text(max_size=30))
def test_nothing_but_a_reference_is_one(dated: KnowledgeBase, text: str) -> None:
    """Any text means a published version or is refused, with one of our own errors."""
    try:
        version = meant(dated, text)
    except (NotFound, UsageError):
        return
    assert 1 <= version <= len(TIMES)


@given(text=st.text(st.sampled_from("head~0123456789-:TZ.+/_aé \n@"), min_size=1, max_size=25))
def test_no_tag_hides_another_meaning(dated: KnowledgeBase, text: str) -> None:
    try:
        check_tag(text)
    except UsageError:
        return
    with dated.catalog.reading() as connection:
        assert names.tagged(connection, text) is None
        assert snapshots.head(connection) == len(TIMES)
    with pytest.raises(NotFound):
        meant(dated, text)
