"""Sources of every kind that a test can change, break and mend, for the connectors' contract."""

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import s3_support
from sql_worlds import SQL_WORLDS
from website import FolderSite

from connectors.folder import FolderConnector, FolderOptions
from connectors.git import GitConnector, GitOptions
from connectors.loader import LoaderConnector, LoaderOptions
from connectors.protocol import Connector, Entry, Fetched, Listing
from connectors.push import PushConnector, PushOptions, Spool
from connectors.push.connector import spool_path
from connectors.uri import path_of, uri_of
from connectors.web import WebConnector, WebOptions
from kb.digest import sha256_bytes
from kb.errors import DocumentGone, SourceUnavailable
from kb.pushing import Delete, Put

TESTS = Path(__file__).parents[1]
START = 1_700_000_000


class Repository:
    """A git repository in a directory; every commit is a minute after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = START
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments, stdin: bytes = b"", check: bool = True) -> str:
        moment = f"{self.clock} +0200"
        settings = {
            "GIT_AUTHOR_DATE": "1600000000 +0000",
            "GIT_COMMITTER_DATE": moment,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        people = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
        run = subprocess.run(
            ("git", *people, "-C", self.path, *arguments),
            input=stdin,
            check=check,
            capture_output=True,
            env={**os.environ, **settings},
        )
        return run.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, name: str | bytes, content: bytes | None) -> None:
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.path), os.fsencode(name))))
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def commit(self, message: str = "Change", **files: bytes | None) -> str:
        """Writes `name__md=b"…"` as `name.md` (None deletes), commits all there is, and returns the commit's id."""
        for name, content in files.items():
            self.write(name.replace("__", "."), content)
        self.clock += 60
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def bundle(self, path: Path, *refs: str) -> Path:
        self.git("bundle", "create", "--quiet", str(path), *(refs or ("--all",)))
        return path


class World:
    """A source that the test can change: files by name, then `save`; and break and mend as a whole."""

    needs = None
    """The fixture that it is made with, where it needs one."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = place / "root"
        self.root.mkdir()
        self.prepare()

    def prepare(self) -> None: ...

    def holds(self, name: bytes) -> bool:
        """Whether a document can have that name here."""
        return True

    def connector(self) -> Connector:
        raise NotImplementedError

    def uri(self, name: bytes) -> str:
        """What the document is called that the file makes; kinds whose documents have longer names say so here."""
        return uri_of(name)

    def close(self) -> None: ...

    def path(self, name: bytes) -> bytes:
        return os.path.join(os.fsencode(self.root), name)

    def write(self, name: bytes, content: bytes) -> None:
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)

    def delete(self, name: bytes) -> None:
        os.unlink(self.path(name))

    def save(self) -> None: ...

    def break_down(self) -> None:
        self.root.rename(self.place / "away")

    def mend(self) -> None:
        (self.place / "away").rename(self.root)


class FolderWorld(World):
    def connector(self) -> Connector:
        # A clock that runs ahead, so that what was just written counts as settled.
        return FolderConnector(
            FolderOptions(self.root), workspace=self.place, clock_ns=lambda: time.time_ns() + 60 * 10**9
        )


class GitWorld(World):
    history = "tip"

    def prepare(self) -> None:
        self.repository = Repository(self.root)

    def save(self) -> None:
        self.repository.commit()

    def url(self) -> str:
        return str(self.root)

    def connector(self) -> Connector:
        options = GitOptions(self.url(), history=self.history)
        return GitConnector(options, workspace=self.place / "workspace")


class GitAllWorld(GitWorld):
    history = "all"


class MirrorWorld(GitAllWorld):
    def url(self) -> str:
        return f"file://{self.root}"


class PushWorld(World):
    name = "0" * 32

    def prepare(self) -> None:
        self.root = spool_path(self.place, self.name)
        self.spool = Spool(self.root, 2**20)
        self.spool.create()

    def connector(self) -> Connector:
        return PushConnector(PushOptions(self.name), workspace=self.place)

    def write(self, name: bytes, content: bytes) -> None:
        self.spool.take([Put(uri_of(name), content)])

    def delete(self, name: bytes) -> None:
        self.spool.take([Delete(uri_of(name))])


class LoaderWorld(World):
    def connector(self) -> Connector:
        options = LoaderOptions("loader_files:Files", arguments={"root": str(self.root)}, directory=TESTS)
        return LoaderConnector(options, workspace=self.place / "workspace")


@dataclass
class Memory:
    """The smallest connector: a dictionary."""

    files: dict[bytes, bytes] = field(default_factory=dict)
    broken: bool = False

    def poll(self, checkpoint: str | None) -> Listing:
        if self.broken:
            raise SourceUnavailable("the memory is lost")
        entries = (Entry(uri_of(name), sha256_bytes(content)) for name, content in self.files.items())
        return Listing(tuple(sorted(entries, key=lambda entry: entry.uri)), "")

    def fetch(self, entry: Entry) -> Fetched:
        if path_of(entry.uri) not in self.files:
            raise DocumentGone(f"{entry.uri} is forgotten")
        return Fetched(self.files[path_of(entry.uri)])


class MemoryWorld(World):
    def prepare(self) -> None:
        self.memory = Memory()

    def connector(self) -> Connector:
        return self.memory

    def write(self, name: bytes, content: bytes) -> None:
        self.memory.files[name] = content

    def delete(self, name: bytes) -> None:
        del self.memory.files[name]

    def break_down(self) -> None:
        self.memory.broken = True

    def mend(self) -> None:
        self.memory.broken = False


class S3World(World):
    """A prefix of a bucket whose neighbours are none of its business."""

    def prepare(self) -> None:
        self.bucket = s3_support.server().bucket()
        self.bucket.put("docs-of-others/a.md", b"not ours")

    def holds(self, name: bytes) -> bool:
        # A key is Unicode text; and this server, unlike Amazon's, refuses control characters and takes `%XX` for an
        # escape when it checks a signature. `test_s3_keys.py` has keys of all sorts.
        text = name.decode("utf-8", "replace")
        return text.encode() == name and text.isprintable() and "%" not in text

    def connector(self) -> Connector:
        return self.bucket.connector("docs")

    def write(self, name: bytes, content: bytes) -> None:
        self.bucket.put(f"docs/{name.decode()}", content)

    def delete(self, name: bytes) -> None:
        self.bucket.delete(f"docs/{name.decode()}")

    def break_down(self) -> None:
        self.bucket.directory.rename(self.place / "away")

    def mend(self) -> None:
        (self.place / "away").rename(self.bucket.directory)


class WebWorld(World):
    """A website with a sitemap of all its pages; their URIs are whole URLs."""

    def prepare(self) -> None:
        self.site = FolderSite(self.root)

    def uri(self, name: bytes) -> str:
        return self.site.url_of(name)

    def connector(self) -> Connector:
        options = WebOptions(sitemap=(self.site.url("/sitemap.xml"),), allow_private=True)
        return WebConnector(options, workspace=self.place / "workspace", sleep=lambda seconds: None)

    def close(self) -> None:
        self.site.close()


WORLDS = [
    FolderWorld,
    GitWorld,
    GitAllWorld,
    MirrorWorld,
    MemoryWorld,
    PushWorld,
    LoaderWorld,
    S3World,
    WebWorld,
    *SQL_WORLDS,
]
