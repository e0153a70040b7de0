"""Long sequences cut to what is taken at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Lists of `size` values in order, the last one with what is left; 500 keys are what any database takes."""
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
