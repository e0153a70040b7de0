"""What the daemon says of its decisions: one line each, for people or as JSON. The one door to structlog."""

import logging
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import FilteringBoundLogger as Log

__all__ = ["Form", "Log", "make_log"]

Form = Literal["human", "json"]


def make_log(form: Form, stream: TextIO) -> Log:
    """Lines on the stream, each with its moment in UTC."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=12)
    )
    moment = structlog.processors.TimeStamper(fmt="iso", utc=True)
    log: Log = structlog.wrap_logger(
        # Each line in one go: what others write to the stream comes before or after it.
        structlog.WriteLogger(stream),
        processors=[structlog.processors.add_log_level, moment, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return log
