"""What runs in a loader's own process: it loads, writes each document to the spill, and says at the end how it went.

It is run as a script and imports nothing of ours: all that is loaded here, and whatever becomes of it, is the loader's.

The spill is a sequence of records: a line of JSON, and as many bytes as its `stored` says. The last record has neither
but says `end` or `error`; a spill without such a last record is one of a process that did not come to its end.
"""

import hashlib
import importlib
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from itertools import chain
from typing import Any

_WAYS = (("lazy_load", "load"), ("lazy_load_data", "load_data"))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_NOTHING = object()
_GRACE_S = 10
_LONGEST_LINE = 1_000_000
_LONGEST_ERROR = 100_000


class Spill:
    """Writes records, each in one go; what this process forks writes nothing, wherever its errors lead it."""

    def __init__(self, descriptor: int, max_bytes: int, max_total: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._pid = os.getpid()
        self._max_bytes = max_bytes
        self._left = max_total

    def add(self, document: Any) -> None:
        content = encoded(text_of(document))
        stored = content if len(content) <= self._max_bytes else b""
        header = {"id": own_id(document), "metadata": metadata_of(document), "size": len(content)}
        header |= {"stored": len(stored), "sha256": hashlib.sha256(content).hexdigest()}
        self.write(header, stored)

    def write(self, header: Mapping[str, Any], content: bytes = b"") -> None:
        if os.getpid() != self._pid:
            return
        line = json.dumps(header).encode()
        if len(line) > _LONGEST_LINE:
            raise OverflowError(f"the metadata of one of its documents is longer than {_LONGEST_LINE:,} bytes")
        rest = memoryview(line + b"\n" + content)
        self._left -= len(rest)
        if self._left < 0:
            raise OverflowError("its documents together are too large; split it into several sources")
        while rest:
            rest = rest[self._file.write(rest) :]

    def end(self, header: Mapping[str, Any]) -> None:
        self._left = sys.maxsize
        self.write(header)


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    os.set_inheritable(request["spill"], False)
    spill = Spill(request["spill"], request["max_bytes"], request["max_total"])
    _confine(request["timeout_s"], request["memory_bytes"])
    sys.path[:] = request["path"]
    stage = "import"
    try:
        made = resolve(request["loader"])
        stage = "make"
        loader = made(**request["arguments"])
        stage = "load"
        for document in documents(loader, request["load_arguments"]):
            spill.add(document)
        spill.end({"end": True})
    except BaseException as error:
        spill.end({"error": type(error).__name__, "text": str(error)[:_LONGEST_ERROR], "stage": stage})
    # Whatever the loader left running must not keep this process.
    os._exit(0)


def resolve(dotted: str) -> Any:
    """What `package.module:Name` or `package.module.Name` names."""
    module, _, names = dotted.rpartition(":" if ":" in dotted else ".")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


def documents(loader: Any, arguments: Mapping[str, Any]) -> Iterator[Any]:
    """Whatever it loads, one by one where it can do that."""
    for lazy, eager in _WAYS:
        if callable(getattr(loader, lazy, None)):
            found = _begun(getattr(loader, lazy), arguments)
            if found is not None:
                yield from found
                return
        if callable(getattr(loader, eager, None)):
            yield from getattr(loader, eager)(**arguments)
            return
    names = ", ".join(name for pair in _WAYS for name in pair)
    raise TypeError(f"{type(loader).__name__} is no loader: it can do none of {names}")


def text_of(document: Any) -> str:
    """The text of LangChain's document, of LlamaIndex's, or of what looks like one. Raises TypeError."""
    text = getattr(document, "page_content", None)
    if text is None:
        read = getattr(document, "get_content", None)
        text = read() if callable(read) else getattr(document, "text", None)
    if not isinstance(text, str):
        raise TypeError(f"it gave a {type(document).__name__}, which is no document with a text")
    return text


def metadata_of(document: Any) -> dict[str, str]:
    found = getattr(document, "metadata", None) or {}
    if not isinstance(found, Mapping):
        raise TypeError(f"it gave a {type(document).__name__} whose metadata is no mapping")
    return dict(flat(found))


def own_id(document: Any) -> str | None:
    for name in ("doc_id", "id_", "id"):
        value = getattr(document, name, None)
        if isinstance(value, str | int):
            return str(value)
    return None


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Metadata as text by key: what is nested is named `outer.inner`, lists are JSON, None is left out."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from flat(part, f"{key}.{name}" if key else str(name))
    elif value is not None:
        found = plain(value)
        yield key, found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def plain(value: Any) -> Any:
    """As JSON, the same at every load: sets are sorted, and objects lose their addresses."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(part) for part in value), key=json.dumps)
    return value.isoformat() if isinstance(value, date | time) else _ADDRESS.sub("", str(value))


def encoded(text: str) -> bytes:
    """UTF-8. Bytes that were read by `surrogateescape` are as they were; other lone surrogates become U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def _begun(lazy: Any, arguments: Mapping[str, Any]) -> Iterable[Any] | None:
    """The documents, None where it turns out that it cannot load lazily: base classes have the method all the same."""
    try:
        found = iter(lazy(**arguments))
        first = next(found, _NOTHING)
    except NotImplementedError:
        return None
    return found if first is _NOTHING else chain([first], found)


def _confine(timeout_s: int, memory_bytes: int) -> None:
    """Ends this process with its parent and, should that fail, a little after its time; limits its memory."""
    import resource

    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_follow, args=(lifeline,), daemon=True, name="parent-watch").start()
    signal.alarm(timeout_s + _GRACE_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What is written to, not what is merely mapped: some libraries map far more than they ever use.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def _follow(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
