"""Git sources that fail or mean harm: one clear line, no secret in it, nothing run and nothing guessed."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from connectors.git.command import telling_line
from connectors.protocol import Entry
from kb.errors import SourceUnavailable


def refusal(connector) -> str:
    """The one line with which polling is refused."""
    with pytest.raises(SourceUnavailable) as caught:
        connector.poll(None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_a_repository_is_named(connect, tmp_path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "text.bundle").write_text("not a bundle")
    assert f"{tmp_path / 'none'} is not there" in refusal(connect(tmp_path / "none"))
    assert "not a git repository" in refusal(connect(tmp_path / "plain"))
    assert str(tmp_path / "text.bundle") in refusal(connect(tmp_path / "text.bundle"))
    assert "does not appear to be a git repository" in refusal(connect(f"file://{tmp_path}/none"))


def test_a_directory_inside_a_repository_is_not_taken_for_it(repository, connect) -> None:
    (repository.path / "docs").mkdir()
    repository.write("docs/a.md", b"1")
    repository.commit()
    line = refusal(connect(repository.path / "docs"))
    assert "is the directory docs/ of a repository" in line
    assert "include=/docs/" in line


def test_a_truncated_bundle_is_unavailable_and_mends(repository, connect, tmp_path) -> None:
    repository.commit(a__md=os.urandom(100_000))
    whole = repository.bundle(tmp_path / "whole.bundle").read_bytes()
    bundle = tmp_path / "b.bundle"
    bundle.write_bytes(whole[: len(whole) // 2])
    assert str(bundle) in refusal(connect(bundle))
    bundle.write_bytes(whole)
    assert len(connect(bundle).poll(None).entries) == 1
    bundle.write_bytes(b"")
    assert str(bundle) in refusal(connect(bundle))


def test_a_bundle_that_needs_more_says_so(repository, connect, tmp_path) -> None:
    repository.commit(a__md=b"1")
    repository.commit(a__md=b"2")
    bundle = repository.bundle(tmp_path / "b.bundle", "main~1..main")
    assert "prerequisite" in refusal(connect(bundle))


def loose(repository, name: str) -> Path:
    object_id = repository.git("rev-parse", name)
    return repository.path / ".git/objects" / object_id[:2] / object_id[2:]


@pytest.mark.parametrize("name", ["HEAD", "HEAD^{tree}"])
@pytest.mark.parametrize("damage", ["missing", "garbled"])
def test_a_corrupt_repository_is_unavailable(repository, connect, name, damage) -> None:
    repository.commit(a__md=b"1")
    path = loose(repository, name)
    path.unlink()
    if damage == "garbled":
        path.write_bytes(b"junk")
    assert str(repository.path) in refusal(connect(repository))


@pytest.mark.parametrize("damage", ["missing", "garbled"])
def test_a_lost_file_makes_the_source_unavailable_not_the_document_gone(repository, connect, damage) -> None:
    repository.commit(a__md=b"x" * 2000, b__md=b"y" * 2000)
    connector = connect(repository)
    lost, kept = connector.poll(None).entries
    path = loose(repository, "HEAD:a.md")
    content = path.read_bytes()
    path.unlink()
    if damage == "garbled":
        path.write_bytes(b"junk")
    with pytest.raises(SourceUnavailable):
        connector.fetch(lost)
    assert connector.fetch(kept).content == b"y" * 2000
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    assert connector.fetch(lost).content == b"x" * 2000


def test_a_broken_history_is_told_up_to_the_break_and_no_further(repository, connect) -> None:
    for number in range(3):
        repository.commit(str(number), a__md=str(number).encode())
    loose(repository, "HEAD~1^{tree}").unlink()
    messages: list[str] = []
    told = (messages.append(listing.message) for listing in connect(repository, history="all").history(None))
    with pytest.raises(SourceUnavailable):
        list(told)
    assert messages in ([], ["0"])


def test_a_commit_that_is_not_there_makes_the_source_unavailable(repository, connect) -> None:
    repository.commit(a__md=b"1")
    with pytest.raises(SourceUnavailable, match="lacks commit 1111"):
        connect(repository).fetch(Entry("a.md", "", "1" * 40))


def test_a_partial_clone_is_refused(repository, connect, tmp_path) -> None:
    repository.commit(a__md=b"1")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    repository.git("clone", "--quiet", "--filter=blob:none", "--bare", f"file://{repository.path}", str(clone))
    assert "partial clone" in refusal(connect(clone))


@pytest.mark.parametrize("secret", ["s3cret", "s3@cret", "s3:cret"])
def test_no_secret_is_ever_told(connect, tmp_path, secret) -> None:
    connector = connect(f"http://me:{secret}@127.0.0.1:1/x.git?token=t0ken")
    line = refusal(connector)
    assert "127.0.0.1:1/x.git" in line
    assert not {"me:", secret, "cret", "t0ken"} & {word for word in ("me:", secret, "cret", "t0ken") if word in line}
    kept = [path.read_bytes() for path in (tmp_path / "workspace").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"cret" in content or b"t0ken" in content for content in kept)


def test_other_credentials_use_the_same_mirror(connect, tmp_path) -> None:
    for user in ("me:one", "me:two"):
        refusal(connect(f"http://{user}@127.0.0.1:1/x.git"))
    assert len(list((tmp_path / "workspace/git").iterdir())) == 1


DENIED = "git@host: Permission denied (publickey)."
VAGUE = "Could not read from remote repository."


@pytest.mark.parametrize(
    ("errors", "line"),
    [
        ("fatal: one\nhint: two\n", "one"),
        ("warning: w\nerror: e\nfatal: f", "f"),
        (f"{DENIED}\nfatal: {VAGUE}\n\nPlease", DENIED),
        ("remote: Not Found\nfatal: 'https://u:p@host/x/' not found", "'https://host/x/' not found"),
        ("fatal: no access 'https://u:p@q@host/x?key=1': refused", "no access 'https://host/x?…': refused"),
        ("fatal: bad \x1b[31m name", "bad %1B[31m name"),
        ("", "git failed without a word"),
        (f"fatal: {VAGUE}", VAGUE),
    ],
)
def test_the_telling_line(errors: str, line: str) -> None:
    assert telling_line(errors) == line


@pytest.fixture
def trap(tmp_path):
    """A program that leaves a mark when it is run."""
    program, mark = tmp_path / "trap", tmp_path / "mark"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield program
    assert not mark.exists(), "a program that the repository names was run"


def signed(repository) -> None:
    """Makes the tip a commit with a signature, which git may be told to check by any program."""
    tree, parent = repository.git("rev-parse", "HEAD^{tree}"), repository.git("rev-parse", "HEAD")
    person = "A <a@example.org> 1700000000 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n"
    text = f"tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n{signature}\nsigned\n"
    made = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
    repository.git("update-ref", "refs/heads/main", made)


PROGRAMS = (
    "gpg.program",
    "core.fsmonitor",
    "core.pager",
    "core.sshCommand",
    "core.askPass",
    "diff.external",
    "diff.trap.textconv",
    "diff.trap.command",
    "filter.trap.smudge",
    "filter.trap.process",
    "credential.helper",
    "uploadpack.packObjectsHook",
)
MISLEADING = {
    "log.showSignature": "true",
    "color.ui": "always",
    "diff.renames": "copies",
    "log.showRoot": "false",
    "diff.relative": "true",
    "diff.orderFile": "none",
    "format.pretty": "fuller",
}


def test_nothing_that_a_repository_names_is_run(repository, connect, trap) -> None:
    repository.write(".gitattributes", b"*.md diff=trap filter=trap\n")
    repository.commit(a__md=b"1")
    signed(repository)
    for key in PROGRAMS:
        repository.git("config", key, str(trap))
    for key, value in MISLEADING.items():
        repository.git("config", key, value)
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        shutil.copy(trap, repository.path / ".git/hooks" / hook)
    for url in (repository.path, f"file://{repository.path}"):
        connector = connect(url, include=("*.md",), history="all")
        first, last = connector.history(None)
        assert connector.fetch(first.entries[0]).content == b"1"
        assert (last.message, last.entries) == ("signed", ())
        assert len(connector.poll(None).entries) == 1


def test_the_callers_git_variables_lead_nowhere(repository, connect, tmp_path, monkeypatch) -> None:
    repository.commit(a__md=b"1")
    other = type(repository)(tmp_path / "other")
    other.commit(b__md=b"1")
    for name, value in {
        "GIT_DIR": other.path / ".git",
        "GIT_WORK_TREE": other.path,
        "GIT_INDEX_FILE": other.path / ".git/index",
        "GIT_OBJECT_DIRECTORY": tmp_path,
        "GIT_TRACE": "1",
        "GIT_CONFIG_COUNT": "1",
    }.items():
        monkeypatch.setenv(name, str(value))
    for url in (repository.path, f"file://{repository.path}"):
        assert [entry.uri for entry in connect(url).poll(None).entries] == ["a.md"]


def test_a_replaced_object_is_read_as_it_was_committed(repository, connect) -> None:
    commit = repository.commit(a__md=b"1")
    other = repository.git("hash-object", "-w", "--stdin", stdin=b"2")
    repository.git("replace", repository.git("rev-parse", "HEAD:a.md"), other)
    assert connect(repository).fetch(Entry("a.md", "", commit)).content == b"1"


def test_without_git_the_remedy_is_told(repository, connect, monkeypatch, tmp_path) -> None:
    repository.commit(a__md=b"1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in refusal(connect(repository))


def test_a_repository_of_another_user_is_refused_with_the_remedy(open_path, repository, connect, unprivileged) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's repository")
    repository.commit(a__md=b"1")
    shutil.copytree(repository.path, open_path / "theirs")
    for directory, names, files in os.walk(open_path / "theirs"):
        for name in (".", *names, *files):
            os.chown(os.path.join(directory, name), 65534, 65534)
    line = refusal(connect(open_path / "theirs"))
    assert "dubious ownership" in line
    assert "safe.directory" in line


def test_a_repository_that_cannot_be_read_is_unavailable(open_path, repository, connect, unprivileged) -> None:
    repository.commit(a__md=b"1")
    shutil.copytree(repository.path, open_path / "closed/inner")
    connector = connect(open_path / "closed/inner")
    (open_path / "closed").chmod(0)
    with unprivileged():
        assert "Permission denied" in refusal(connector)


def test_a_time_that_no_calendar_has_is_the_epoch(repository, connect) -> None:
    repository.commit(a__md=b"1")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    person = "A <a@example.org> 99999999999999999 +0000"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nlater\n"
    made = repository.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text.encode())
    connector = connect(repository, ref=made)
    listing = connector.poll(None)
    assert listing.time.year == 1970
    assert connector.fetch(listing.entries[0]).modified_at == listing.time
