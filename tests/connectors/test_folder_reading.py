"""Reading a folder's files: whole, from within, or not at all and with the true reason."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.folder import FolderConnector, FolderOptions
from connectors.protocol import Entry, Fetched
from connectors.uri import uri_of
from kb.errors import DocumentGone, DocumentUnavailable, ExtractionError, SourceUnavailable


def fetch(root: Path, uri: str, max_bytes: int = 2**20) -> Fetched:
    return FolderConnector(FolderOptions(root), workspace=root, max_bytes=max_bytes).fetch(Entry(uri, ""))


def test_bytes_and_time(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"text")
    os.utime(tmp_path / "a.md", ns=(0, 1_700_000_000_123_456_789))
    fetched = fetch(tmp_path, "a.md")
    assert fetched.content == b"text"
    assert fetched.modified_at == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert fetched.media_type is None


def test_a_file_older_than_the_epoch(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    os.utime(tmp_path / "a.md", (-86400, -86400))
    assert fetch(tmp_path, "a.md").modified_at == datetime(1969, 12, 31, tzinfo=UTC)


def test_a_link_within_gives_its_target(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_bytes(b"text")
    (tmp_path / "link.md").symlink_to("docs/a.md")
    assert fetch(tmp_path, "link.md").content == b"text"


@pytest.mark.parametrize(
    "uri", ["link.md", "docs/../../secret.md", "../secret.md", "%2E%2E/secret.md", "way/secret.md"]
)
def test_nothing_outside_is_ever_read(tmp_path: Path, uri: str) -> None:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (tmp_path / "secret.md").write_bytes(b"secret")
    (root / "link.md").symlink_to("../secret.md")
    (root / "way").symlink_to("..")
    with pytest.raises(DocumentUnavailable):
        fetch(root, uri)


def test_a_directory_exchanged_for_a_link_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (root / "other").mkdir()
    (root / "other/a.md").write_bytes(b"other")
    (root / "docs").rmdir()
    (root / "docs").symlink_to("other")
    with pytest.raises(DocumentGone):
        fetch(root, "docs/a.md")


def test_a_file_that_became_a_pipe_or_a_directory_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "directory.md").mkdir()
    for name in ("pipe.md", "directory.md"):
        with pytest.raises(DocumentUnavailable, match="no longer a plain file"):
            fetch(tmp_path, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_never_read(tmp_path: Path) -> None:
    os.mknod(tmp_path / "zero.md", 0o600 | 0o020000, os.makedev(1, 5))
    connector = FolderConnector(FolderOptions(tmp_path), workspace=tmp_path)
    assert connector.poll(None).skipped == {"special file": 1}
    with pytest.raises(DocumentUnavailable, match="no longer a plain file"):
        connector.fetch(Entry("zero.md", ""))


def test_gone_is_told_from_unreadable(open_path: Path, unprivileged) -> None:
    (open_path / "b.md").write_bytes(b"text")
    (open_path / "b.md").chmod(0)
    with unprivileged():
        with pytest.raises(DocumentGone, match=r"a\.md is no longer there"):
            fetch(open_path, "a.md")
        with pytest.raises(DocumentUnavailable, match=r"b\.md cannot be read: Permission denied") as caught:
            fetch(open_path, "b.md")
    assert not isinstance(caught.value, DocumentGone)


def test_with_the_folder_gone_no_document_is(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="is not there"):
        fetch(tmp_path / "away", "a.md")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "large.md", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(ExtractionError, match="1,099,511,627,776 bytes, more than the 1,048,576 allowed") as caught:
        fetch(tmp_path, "large.md")
    assert caught.value.reason == "too large"


def test_the_largest_allowed_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"12345")
    assert fetch(tmp_path, "a.md", max_bytes=5).content == b"12345"
    with pytest.raises(ExtractionError):
        fetch(tmp_path, "a.md", max_bytes=4)


def test_a_file_that_keeps_changing_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "log.md"
    with open(path, "wb") as file:
        file.truncate(2**26)
    started, stopped = threading.Event(), threading.Event()

    def touch() -> None:
        while not stopped.is_set():
            os.utime(path)
            started.set()

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        assert started.wait(10)
        with pytest.raises(DocumentUnavailable, match="keeps changing"):
            fetch(tmp_path, "log.md", max_bytes=2**26)
    finally:
        stopped.set()
        writer.join()


def test_descriptors_are_closed(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.md").write_bytes(b"text")
    before = len(os.listdir("/dev/fd"))
    for uri in ("a/b/c.md", "a/b/none.md", "a/none/c.md", "a/b"):
        for _ in range(3):
            try:
                fetch(tmp_path, uri)
            except DocumentUnavailable:
                assert uri != "a/b/c.md"
    assert len(os.listdir("/dev/fd")) == before


def test_a_name_that_is_not_utf8_is_read_by_its_uri(tmp_path: Path) -> None:
    name = b"caf\xe9 %41.md"
    with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
        file.write(b"text")
    assert uri_of(name) == "caf%E9 %2541.md"
    assert fetch(tmp_path, uri_of(name)).content == b"text"
