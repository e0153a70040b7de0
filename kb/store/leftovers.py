"""What a killed writer leaves that LanceDB's own cleaning passes over: half-written, uncommitted and staged files.

Of LanceDB 0.40: files under construction have names of their own; a deletion file or a transaction is of use only
where a manifest names it, the one by read version and number, the other by its file's name.
"""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

_STUDIED: Final = "0.40."
_UNDER_CONSTRUCTION: Final = re.compile(r"\.tmp.*|.+#\d+")
_PARTS: Final = ("_deletions", "_transactions")
_DELETION: Final = re.compile(r"\d+-(\d+)-(\d+)\.(arrow|bin)")


def remove_leftovers(table: Path) -> None:
    """From a table's directory. Only for whoever holds the writer's lock, while nothing is being written.

    Another LanceDB than the one whose files were studied may name them otherwise: then nothing is touched.
    """
    if not version("lancedb").startswith(_STUDIED):
        return
    for path in list(_leftovers(table)):
        path.unlink()


def _leftovers(table: Path) -> Iterator[Path]:
    for path in table.rglob("*"):
        if _UNDER_CONSTRUCTION.fullmatch(path.name) and path.is_file():
            yield path
    uncertain = {path: _named_by(path.name) for part in _PARTS for path in (table / part).glob("*")}
    if uncertain:
        manifests = b"\0".join(path.read_bytes() for path in (table / "_versions").glob("*.manifest"))
        yield from (path for path, name in uncertain.items() if name is not None and name not in manifests)


def _named_by(name: str) -> bytes | None:
    """The bytes by which a manifest names a file; None for a kind of file that is not known."""
    if deletion := _DELETION.fullmatch(name):
        # Fields 2 and 3 of the message `DeletionFile`.
        return b"\x10" + _varint(int(deletion[1])) + b"\x18" + _varint(int(deletion[2]))
    return name.encode() if name.endswith(".txn") else None


def _varint(number: int) -> bytes:
    """As protobuf writes it: seven bits a byte, the lowest first, all but the last marked."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
