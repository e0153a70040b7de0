"""Running git: without a prompt, a shell, a hook, a pager or a remote helper, under a time limit, its errors one line.

Nothing here takes a lock or writes, unless the command given is one that does.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from connectors.redaction import redacted
from connectors.uri import escaped
from kb.errors import SourceUnavailable

TIMEOUT_S = 120

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.interactive=false",
    "protocol.ext.allow=never",
    "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)
_COMMAND = ("git", "--no-pager", "--no-optional-locks", *(word for setting in _SETTINGS for word in ("-c", setting)))

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    # What an object id names is what was committed, and a clone that lacks it must not go and get it.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "SSH_ASKPASS_REQUIRE": "never",
}
_KEPT = ("GIT_SSH", "GIT_SSL", "GIT_PROXY", "GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL")

_VAGUE = ("Could not read from remote repository", "the remote end hung up", "index-pack fail", "index-pack died")
_REMEDIES = (
    ("dubious ownership", "allow it with `git config --global --add safe.directory DIRECTORY`"),
    ("could not read Username", "give it credentials by a credential helper or an ssh key"),
    ("Authentication failed", "check its credentials"),
    ("Permission denied", "check its credentials and permissions"),
    ("unable to access", "check the URL and the network"),
    ("prerequisite", "make the bundle with its whole history"),
)


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one place: `place` are the words that lead there, `subject` what errors call it."""

    subject: str
    place: tuple[str, ...]

    def run(self, *arguments: str, timeout_s: int = TIMEOUT_S) -> bytes:
        """Its output. Raises SourceUnavailable with git's own telling line."""
        status, output, errors = self.ask(*arguments, timeout_s=timeout_s)
        if status:
            raise self.failure(errors)
        return output

    def ask(self, *arguments: str, timeout_s: int = TIMEOUT_S) -> tuple[int, bytes, bytes]:
        """Exit status, output and errors, for a command that may well fail."""
        process = self.start(*arguments, errors=subprocess.PIPE)
        try:
            output, errors = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            message = f"{self.subject}: git {arguments[0]} took longer than {timeout_s} s; try again"
            raise SourceUnavailable(message) from error
        finally:
            stop(process)
        return process.returncode, output, errors

    def tokens(self, *arguments: str) -> Iterator[bytes]:
        """Its output as it comes, cut at NUL. Raises SourceUnavailable at the end where git failed."""
        with tempfile.TemporaryFile() as errors:
            process = self.start(*arguments, errors=errors)
            try:
                yield from _cut(process)
                if process.wait():
                    errors.seek(0)
                    raise self.failure(errors.read())
            finally:
                stop(process)

    def start(self, *arguments: str, errors: int | IO[bytes], asks: bool = False) -> subprocess.Popen[bytes]:
        """Starts git in a session of its own: without a terminal to ask at, and untouched by its Ctrl-C."""
        try:
            return subprocess.Popen(
                (*_COMMAND, *self.place, *arguments),
                stdin=subprocess.PIPE if asks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise SourceUnavailable(f"{self.subject}: the program git is not installed; install it") from error

    def failure(self, errors: bytes) -> SourceUnavailable:
        line = telling_line(errors.decode("utf-8", "surrogateescape"))
        remedy = next((f"; {remedy}" for symptom, remedy in _REMEDIES if symptom in line), "")
        return SourceUnavailable(f"{self.subject}: {line}{remedy}")


def telling_line(errors: str) -> str:
    """The one line of git's errors that says what is wrong, without secrets and without git's prefix."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    exact = [line for line in lines if not any(vague in line for vague in _VAGUE)]
    fatal = [line for line in exact if line.startswith("fatal: ")]
    chosen = (fatal or exact or lines or ["git failed without a word"])[0]
    for prefix in ("fatal: ", "error: ", "remote: ", "ERROR: "):
        chosen = chosen.removeprefix(prefix)
    return redacted(escaped(chosen))


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process with all that it started, if it still runs, and lets go of its pipes."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _cut(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None, "it was started with a pipe"
    rest = b""
    while block := process.stdout.read(1 << 16):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest.strip():
        yield rest


def _environment() -> dict[str, str]:
    """The caller's, without what would lead git elsewhere: a commit hook runs with GIT_DIR set, for one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _keeps(name)}
    inherited.pop("SSH_ASKPASS", None)
    return inherited | _ENVIRONMENT


def _keeps(name: str) -> bool:
    return name.startswith(_KEPT)
