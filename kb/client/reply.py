"""What a reply says: a value of the type that was asked for, or the error that the server raised."""

import json
from collections.abc import Iterator
from typing import Any, cast

from kb.client.call import Call, Pages, Row, Told
from kb.errors import KBError, Unreachable


def read(call: Call[Told], status: int, content: bytes) -> Told:
    """The value. Raises the error that the server raised, or Unreachable where the reply is none of ours."""
    if status != 200:
        raise problem(status, content)
    # Here, so that an error, or a reply that nobody looks into, does not wait for pydantic.
    from kb.wire import parsed

    try:
        return cast(Told, parsed(call.told, _json(content)))
    except ValueError as error:
        raise _strange(call.target) from error


def rows(pages: Pages[Row], page: dict[str, Any]) -> tuple[list[Row], str | None]:
    """A page's rows, and the cursor of the page behind it. Raises Unreachable."""
    from kb.wire import parsed

    lists = [value for value in page.values() if isinstance(value, list)]
    cursor = page.get("next")
    if len(lists) != 1 or not isinstance(cursor, str | None):
        raise _strange(pages.path)
    try:
        return cast(list[Row], parsed(list[pages.row], lists[0])), cursor  # type: ignore[name-defined]
    except ValueError as error:
        raise _strange(pages.path) from error


def problem(status: int, content: bytes) -> KBError:
    """The error of a problem+json: of our class of that name, else a KBError that tells the status."""
    try:
        told = _json(content)
        name, detail = str(told["title"]), str(told["detail"])
    except (ValueError, TypeError, KeyError):
        return Unreachable(f"the server answered {status}, not as a knowledge base does: is the address right?")
    kind = next((one for one in _kinds(KBError) if one.__name__ == name), None)
    return kind(detail) if kind else KBError(f"the server answered {status} {name}: {detail}")


def _kinds(kind: type[KBError]) -> Iterator[type[KBError]]:
    """Those that are made of their text alone."""
    if "__init__" not in vars(kind):
        yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _strange(target: str) -> Unreachable:
    return Unreachable(
        f"the reply to {target} is not a knowledge base's of this version: check the address, and that both are as new"
    )
