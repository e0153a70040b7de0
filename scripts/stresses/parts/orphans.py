"""Files of the store that no version of its table names, found without LanceDB: by reading the manifests' bytes.

A manifest lists what its version consists of: data and transaction files by name, indexes by the 16 bytes of their
UUID, deletion files by the number in their name as a varint. What none of a table's manifests lists is an orphan.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID


def orphans(store: Path) -> Iterator[Path]:
    """Of every table that has a version."""
    for table in sorted(store.glob("*.lance")):
        manifests = [path.read_bytes() for path in (table / "_versions").glob("*.manifest")]
        if manifests:
            listed = b"\0".join(manifests)
            yield from (path for path in sorted(_parts(table)) if _mark(path.relative_to(table)) not in listed)


def _parts(table: Path) -> Iterator[Path]:
    """All files but the manifests themselves and what points to the newest."""
    for path in table.rglob("*"):
        if path.is_file() and not (path.parent.name == "_versions" and path.suffix in (".manifest", ".json")):
            yield path


def _mark(path: Path) -> bytes:
    """What stands for a file, given within its table, in the manifest of a version that has it."""
    match path.parts:
        case ("_indices", index, _):
            return UUID(index).bytes
        case ("_deletions", name):
            return _varint(int(Path(name).stem.rpartition("-")[2]))
        case (*_, name):
            return name.encode()
    raise AssertionError("a file has a name")


def _varint(number: int) -> bytes:
    """As protobuf writes it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
