"""E-mail messages: their headers, their body and what they carry."""

from collections.abc import Iterator
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage

from indexer.document import Extracted
from indexer.extract.elements import html_pieces
from indexer.extract.encoding import decode
from indexer.extract.errors import corrupt, encrypted
from indexer.extract.pieces import Piece, cleaned, compose
from indexer.structure import blocks

_HEADERS = ("From", "To", "Cc", "Subject", "Date")
_DEEPEST = 20
_EML = "message/rfc822"


def extract_eml(content: bytes) -> Extracted:
    """Headers, body and nested messages as text, other attachments by name. Raises ExtractionError."""
    message = _read(content)
    pieces = _message_pieces(message, 0)
    return compose(pieces, _EML, _header(message, "Subject"))


def has_headers(content: bytes) -> bool:
    """Whether the bytes begin as a message does."""
    return any(_header(_read(content[:65536]), name) for name in (*_HEADERS, "Received", "MIME-Version", "Message-ID"))


def _read(content: bytes) -> EmailMessage:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return message_from_string(decode(content), policy=policy.default)
    return message_from_bytes(content, policy=policy.default)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    # A header that the parser cannot read even leniently is as good as absent.
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""


def _message_pieces(message: EmailMessage, depth: int) -> Iterator[Piece]:
    if depth > _DEEPEST:
        raise corrupt("its messages are nested too deeply")
    lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    yield Piece("\n".join(lines))
    yield from _part_pieces(message, depth)


def _part_pieces(part: EmailMessage, depth: int) -> Iterator[Piece]:
    kind = part.get_content_type()
    if kind == "multipart/encrypted" or (kind.endswith("pkcs7-mime") and part.get_param("smime-type") != "signed-data"):
        raise encrypted()
    if kind == "multipart/alternative":
        yield from _best_pieces(part, depth)
    elif part.is_multipart():
        for inner in part.get_payload():
            nested = kind == "message/rfc822"
            yield from (_message_pieces if nested else _part_pieces)(inner, depth + 1)  # type: ignore[arg-type]
    elif part.get_filename() or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
        yield from _attachment(part, kind)
    else:
        yield from body_pieces(_body(part), kind == "text/html")


def _best_pieces(part: EmailMessage, depth: int) -> Iterator[Piece]:
    """Of alternatives the last is the fullest, but one that holds no text is no alternative."""
    best: list[Piece] = []
    for inner in part.get_payload():
        pieces = list(_part_pieces(inner, depth + 1))  # type: ignore[arg-type]
        if any(cleaned(piece.text) for piece in pieces):
            best = pieces
    yield from best


def _attachment(part: EmailMessage, kind: str) -> Iterator[Piece]:
    name = part.get_filename()
    # What has no name is part of the message's dress: an inline image, a signature.
    if name or part.get_content_disposition() == "attachment":
        yield Piece(f"Attachment: {name or 'without a name'} ({kind})", "list")


def _body(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return str(part.get_payload())
    charset = part.get_content_charset()
    if part.get_content_maintype() == "text" and not payload.isascii() and isinstance(raw := part.get_payload(), str):
        payload = raw.encode("utf-8") if _already_decoded(raw, payload) else payload
    return decode(payload, f"text/plain; charset={charset}" if charset else None)


def _already_decoded(raw: str, payload: bytes) -> bool:
    """A message that was read as characters (from UTF-16) has its 8-bit bodies as characters, too."""
    return not raw.isascii() and not any("\udc80" <= character <= "\udcff" for character in raw)


def body_pieces(text: str, is_html: bool) -> Iterator[Piece]:
    """A message body's paragraphs."""
    if is_html:
        yield from html_pieces(text)
        return
    plain = cleaned(text)
    for block in blocks(plain, "text"):
        yield Piece(plain[block.start : block.end], block.kind)
