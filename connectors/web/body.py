"""Bodies of bounded size: unpacked piece by piece, and whole or not at all."""

import zlib
from collections.abc import Iterable, Iterator

from kb.errors import ExtractionError

_STEP_BYTES = 2**16


def gathered(pieces: Iterable[bytes], max_bytes: int, subject: str) -> bytes:
    """Raises ExtractionError as soon as there are more than `max_bytes`."""
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > max_bytes:
            raise too_large(subject, "more bytes than", max_bytes)
    return bytes(body)


def too_large(subject: str, size: str, max_bytes: int) -> ExtractionError:
    return ExtractionError("too large", f"{subject} has {size} the {max_bytes:,} allowed")


def unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What gzip packed, in small pieces. Raises ValueError where it is not gzip or ends early."""
    inflater, begun = zlib.decompressobj(31), False
    try:
        for piece in pieces:
            while piece:
                if inflater.eof:
                    inflater = zlib.decompressobj(31)
                begun = True
                yield inflater.decompress(piece, _STEP_BYTES)
                piece = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        while begun and not inflater.eof:
            rest = inflater.decompress(b"", _STEP_BYTES)
            if not rest and not inflater.eof:
                raise ValueError("what is packed ends early")
            yield rest
    except zlib.error as error:
        raise ValueError(f"what is packed is damaged: {error}") from error
