"""Our values between processes: as JSON Schema describes them, and as they come back from `kb.answers.plain`."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from kb.answers import Diff

_SPELT = {"before": "from", "after": "to"}
"""`from` is no name for a Python attribute."""


def schema(type_: Any) -> dict[str, Any]:
    """The JSON Schema of what `plain` makes of a value of the type."""
    found = _adapter(type_).json_schema()
    if type_ is Diff:
        names = {name: _SPELT.get(name, name) for name in found["properties"]}
        found["properties"] = {names[name]: part for name, part in found["properties"].items()}
        found["required"] = [names[name] for name in found["required"]]
    return found


def parsed(type_: Any, value: Any) -> Any:
    """The value that `plain` was given; members that the type does not know are left out. Raises ValueError."""
    if type_ is Diff and isinstance(value, dict):
        written = {there: here for here, there in _SPELT.items()}
        value = {written.get(name, name): part for name, part in value.items()}
    return _adapter(type_).validate_python(value)


@cache
def _adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)
