"""What is said in paths and queries, described once."""

from typing import Annotated, Final

from fastapi import Path, Query

_REFERENCE: Final = (
    "A version: `head`, `head~2`, its number, a tag, a date or time (the newest published by then), or where a source "
    "stood: `NAME@REVISION`, `NAME@DATE`."
)
_DOCUMENT: Final = "A document: `SOURCE:URI`, its id or the beginning of its id (8 characters or more)."
_LONGEST: Final = 1_000
_LONGEST_URI: Final = 8_000

Ref = Annotated[str, Path(description=_REFERENCE, max_length=_LONGEST, examples=["head", "42", "2024-05-01"])]
AsOf = Annotated[str, Query(description=_REFERENCE, max_length=_LONGEST, examples=["head", "42", "2024-05-01"])]
From = Annotated[str, Query(alias="from", description=_REFERENCE, max_length=_LONGEST, examples=["head~1"])]
To = Annotated[str, Query(alias="to", description=_REFERENCE, max_length=_LONGEST, examples=["head"])]
Name = Annotated[str | None, Query(description="A source's name.", max_length=200, examples=["handbook"])]
DocumentPath = Annotated[str, Path(description=_DOCUMENT, max_length=_LONGEST_URI, examples=["handbook:refunds.md"])]
SourcePath = Annotated[str, Path(description="A source's name.", max_length=200, examples=["handbook"])]
