"""The command `kb push`: files, or standard input, to a source of kind push."""

import os
import stat
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

from connectors.uri import uri_of
from indexer.commands.base import writer_of
from kb.cli.frame import Invocation, emit, json_option, root
from kb.errors import UsageError
from kb.pushing import Change, Delete, Put


@root.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--uri", help="The document's URI; else the path as given, relative and with `/`.")
@click.option("--delete", "deletes", is_flag=True, help="The documents are to go; the files need not be there.")
@click.option("--key", metavar="IDEMPOTENCY_KEY", help="Pushed again with this key, nothing changes (for 24 hours).")
@json_option
@click.pass_obj
def push(
    invocation: Invocation,
    /,
    name: str,
    files: Sequence[str],
    uri: str | None,
    deletes: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """Send FILEs to a source of kind push, all or none; `-` is standard input, and needs --uri.

    They are kept once this returns, and indexed by the next `kb sync`.
    """
    _check(files, uri)
    writer = writer_of(invocation)
    most = writer.home.config.max_document_mb * 2**20
    receipt = writer.push(name, _changes(files, uri, deletes, most), key=key)
    emit(receipt, as_json, lambda: (f"{one.outcome:<9}  {name}:{one.uri}" for one in receipt.documents))


def _check(files: Sequence[str], uri: str | None) -> None:
    if uri is not None and len(files) > 1:
        raise click.UsageError("--uri names one document: give one FILE")
    if uri is None and "-" in files:
        raise click.UsageError("standard input has no name: give it one by --uri")


def _changes(files: Sequence[str], uri: str | None, deletes: bool, most: int) -> Iterable[Change]:
    named = [(_uri(file) if uri is None else uri, file) for file in files]
    if deletes:
        return [Delete(name) for name, _ in named]
    if files == ("-",):
        # Read to its end first: whoever writes it may take long, and others push meanwhile.
        return [Put(named[0][0], sys.stdin.buffer.read(most + 1))]
    return (_put(name, file, most) for name, file in named)


def _uri(file: str) -> str:
    path = os.path.normpath(file)
    if path.split(os.sep)[0] == os.pardir:
        raise UsageError(f"{file} lies outside the current directory: name it by --uri, or run this from above it")
    return uri_of(os.fsencode(path).replace(os.fsencode(os.sep), b"/"))


def _put(uri: str, file: str, most: int) -> Put:
    try:
        with open(file, "rb", opener=_opened) as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{file} is not a plain file")
            # One byte more than allowed shows that there is more, whatever the file says of its size.
            return Put(uri, opened.read(most + 1), modified_at=datetime.fromtimestamp(found.st_mtime, UTC))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}; nothing was pushed") from error


def _opened(path: str, flags: int) -> int:
    # A pipe that nobody writes to must not hold up the spool.
    return os.open(path, flags | os.O_NONBLOCK)
