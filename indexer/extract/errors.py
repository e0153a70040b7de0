"""What extraction says of bytes that it makes no document of."""

from kb.errors import ExtractionError, KBError


class NotADocument(KBError):
    """The bytes are of a kind that holds no text (a program, an image): to be skipped and counted, not quarantined."""

    http_status = 422


def encrypted() -> ExtractionError:
    return ExtractionError("encrypted", "it is encrypted; remove its password and index it again")


def corrupt(cause: object) -> ExtractionError:
    return ExtractionError("corrupt", f"it cannot be read: {_line(cause)}")


def unsupported(why: str) -> ExtractionError:
    return ExtractionError("unsupported", why)


def empty(why: str) -> ExtractionError:
    return ExtractionError("empty", why)


def _line(cause: object) -> str:
    words = " ".join(str(cause).split())
    return (words[:200] or type(cause).__name__) if words else type(cause).__name__
