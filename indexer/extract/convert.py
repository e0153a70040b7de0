"""Formats that another program has to open: LibreOffice for legacy Office, pandoc for EPUB, ODT and RTF."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from indexer.extract.errors import corrupt, unsupported
from kb.errors import ExtractionError

_TIME_LIMIT_S = 120
_RTF_PAGE = re.compile(rb"\\ansicpg(\d+)")
_RTF_FONT_PAGE = re.compile(rb"\\fcharset(\d+)")
_RTF_EIGHT_BIT = re.compile(rb"\\'[89a-fA-F]")


def by_libreoffice(content: bytes, suffix: str, target: str) -> bytes:
    """The document as LibreOffice saves it in the target format. Raises ExtractionError, "unsupported" without it."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise unsupported(f"a .{suffix} file needs LibreOffice (soffice), which is not installed")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"document.{suffix}")
        source.write_bytes(content)
        # A profile of its own: two that share one would wait for each other.
        profile = f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"
        _run([program, "--headless", profile, "--convert-to", target, "--outdir", folder, str(source)])
        return _result(Path(folder, f"document.{target}"), "LibreOffice")


def by_pandoc(content: bytes, suffix: str) -> str:
    """The document as HTML. Raises ExtractionError, "unsupported" where pandoc is missing."""
    program = _pandoc()
    if program is None:
        raise unsupported(f"a .{suffix} file needs pandoc, which is not installed (pypandoc_binary carries it)")
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, f"document.{suffix}"), Path(folder, "document.html")
        source.write_bytes(content)
        _run([program, "--sandbox", "--from", suffix, "--to", "html", "--output", str(result), str(source)])
        return _result(result, "pandoc").decode("utf-8")


def misread_by_pandoc(content: bytes) -> bool:
    """RTF with 8-bit text in another code page than Windows-1252, of which pandoc makes gibberish without a word."""
    pages = set(_RTF_PAGE.findall(content)) - {b"1252"} | set(_RTF_FONT_PAGE.findall(content)) - {b"0", b"1", b"2"}
    return bool(pages) and _RTF_EIGHT_BIT.search(content) is not None


def _pandoc() -> str | None:
    on_path = shutil.which("pandoc")
    if on_path:
        return on_path
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError):
        return None


def _run(command: list[str]) -> None:
    program = Path(command[0]).name
    # A session of its own, so that what it starts can be stopped with it.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        try:
            _, said = running.communicate(timeout=_TIME_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise ExtractionError("timed out", f"{program} took more than {_TIME_LIMIT_S} s") from error
        finally:
            _stop(running)
    if running.returncode != 0:
        raise corrupt(f"{program} refused it: {said.decode('utf-8', errors='replace')}")


def _stop(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)


def _result(path: Path, program: str) -> bytes:
    if not path.exists():
        raise corrupt(f"{program} could not convert it")
    return path.read_bytes()
