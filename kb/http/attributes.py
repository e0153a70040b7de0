"""OpenAI's filters on attributes as filters of ours: all of several keys, and for each key any of several values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt

from kb.errors import UsageError

Word = Annotated[str, Field(max_length=10_000)]
Lone = Word | StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
MODIFIED: Final = "modified_at"
_BOUNDS: Final = {"gte": "modified_after", "lt": "modified_before"}
_POSSIBLE: Final = (
    "give `eq` or `in` for a key, `gte` or `lt` for modified_at, several keys joined by `and`, "
    "and `or` between values of one key"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Values of `source`, `uri` (globs), `media_type`, `section`, or a key of the documents' metadata."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    type: Literal["eq", "in", "gte", "lt"]
    key: Word
    value: Lone | Annotated[list[Lone], Field(min_length=1, max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Compound:
    """Comparisons joined."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    type: Literal["and", "or"]
    filters: Annotated[list["Comparison | Compound"], Field(min_length=1, max_length=100)]


def filters_of(asked: Comparison | Compound | None) -> Mapping[str, Sequence[str]]:
    """Raises UsageError for what our filters cannot say."""
    if asked is None:
        return {}
    if isinstance(asked, Comparison):
        return _compared(asked)
    parts = [filters_of(part) for part in asked.filters]
    return _both(parts) if asked.type == "and" else _either(parts)


def _compared(asked: Comparison) -> Mapping[str, Sequence[str]]:
    many = asked.value if isinstance(asked.value, list) else [asked.value]
    values = [_written(value) for value in many]
    if isinstance(asked.value, list) != (asked.type == "in"):
        raise UsageError(f"`{asked.type}` on {asked.key!r}: `in` takes a list, the others one value")
    if asked.type in _BOUNDS and asked.key == MODIFIED:
        return {_BOUNDS[asked.type]: values}
    if asked.type in _BOUNDS or asked.key == MODIFIED:
        raise UsageError(f"`{asked.type}` on {asked.key!r} cannot be asked: {_POSSIBLE}")
    return {asked.key: values}


def _both(parts: Sequence[Mapping[str, Sequence[str]]]) -> Mapping[str, Sequence[str]]:
    keys = [key for part in parts for key in part]
    if len(keys) > len(set(keys)):
        raise UsageError(f"`and` names a key twice: {_POSSIBLE}")
    return {key: values for part in parts for key, values in part.items()}


def _either(parts: Sequence[Mapping[str, Sequence[str]]]) -> Mapping[str, Sequence[str]]:
    keys = {tuple(part) for part in parts}
    if len(parts) > 1 and (len(keys) > 1 or len(min(keys)) != 1 or min(keys)[0] in _BOUNDS.values()):
        raise UsageError(f"`or` joins more than values of one key: {_POSSIBLE}")
    return {key: [value for part in parts for value in part[key]] for key in min(keys)}


def _written(value: str | bool | int | float) -> str:
    """As metadata holds it: all of it is text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
