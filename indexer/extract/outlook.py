"""Outlook's `.msg`: headers, body and attachments' names."""

import io
from collections.abc import Iterator
from typing import Any

from indexer.document import Extracted
from indexer.extract.encoding import decode
from indexer.extract.mail import body_pieces
from indexer.extract.pieces import Piece, compose

_MEDIA_TYPE = "application/vnd.ms-outlook"
_SUBJECT, _BODY, _HTML = 0x0037, 0x1000, 0x1013
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_NAME, _ADDRESS, _SMTP = 0x3001, 0x3003, 0x39FE


def extract_msg(content: bytes) -> Extracted:
    """The message as text, in the code page that it names. Raises ExtractionError."""
    from oxmsg import Message

    message = Message.load(io.BytesIO(content))
    return compose(_pieces(message), _MEDIA_TYPE, _text(message, _SUBJECT, _charset(message)))


def _pieces(message: Any) -> Iterator[Piece]:
    charset = _charset(message)
    sender = _person(message, charset, _SENDER_NAME, (_SENDER_SMTP, _SENDER_ADDRESS))
    people = ", ".join(_person(who, charset, _NAME, (_SMTP, _ADDRESS)) for who in message.recipients)
    values = {"From": sender, "To": people, "Subject": _text(message, _SUBJECT, charset), "Date": message.sent_date}
    yield Piece("\n".join(f"{name}: {value}" for name, value in values.items() if value))
    markup = _text(message, _HTML, charset)
    yield from body_pieces(markup or _text(message, _BODY, charset), bool(markup))
    for attachment in message.attachments:
        yield Piece(f"Attachment: {attachment.file_name or 'without a name'}", "list")


def _charset(message: Any) -> str | None:
    try:
        return str(message.properties.body_encoding)
    # A code page that the reader does not know is found out from the bytes.
    except Exception:
        return None


def _person(holder: Any, charset: str | None, name: int, addresses: tuple[int, ...]) -> str:
    shown = _text(holder, name, charset)
    address = next((found for pid in addresses if (found := _text(holder, pid, charset))), "")
    return f"{shown} <{address}>" if shown and address and shown != address else shown or address


def _text(holder: Any, pid: int, charset: str | None) -> str:
    """A property's text. The reader itself takes 8-bit strings for Latin-9, whatever the message says."""
    found = next((each for each in holder.properties if each.pid == pid), None)
    if found is None:
        return ""
    kind = type(found).__name__
    if kind == "String8Property":
        raw = found._storage.property_stream_bytes(found.pid, found.ptyp)
    elif kind == "BinaryProperty":
        raw = found.value
    else:
        return str(found.value or "")
    return decode(raw, f"text/plain; charset={charset}" if charset else None).rstrip("\0") if raw else ""
