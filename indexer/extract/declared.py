"""The character encoding that a document says it is in."""

import codecs
import re

_META = re.compile(rb"<meta\b[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_PROLOG = re.compile(rb"^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)")
_STYLE = re.compile(rb"^@charset \"([\w.:-]+)\"")
_COOKIE = re.compile(rb"^[^\n]{0,100}\n?[^\n]{0,80}coding[:=]\s*([\w.-]+)")
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_WINDOWS = re.compile(r"^windows-(?=\d)")
_HEAD_BYTES = 65536
# As browsers do: who writes Latin-1 or ASCII means the Windows page that contains it.
_MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949"}
_MEANT |= {"shift_jis": "cp932", "iso8859-9": "cp1254", "tis-620": "cp874", "big5": "big5hkscs"}


def declared(content: bytes, media_type: str | None = None) -> tuple[str, ...]:
    """Python's names of the encodings declared by the media type or in the first bytes, the likelier first."""
    head = content[:_HEAD_BYTES]
    names = _PARAMETER.findall(media_type or "")
    for pattern in (_PROLOG, _STYLE, _COOKIE, _META):
        names += [found.decode("ascii") for found in pattern.findall(head)[:1]]
    return tuple(dict.fromkeys(known for name in names if (known := _known(name))))


def _known(name: str) -> str | None:
    try:
        codec = codecs.lookup(_WINDOWS.sub("cp", name.lower()))
    except LookupError:
        return None
    # `base64`, `rot13` and their like are codecs, too.
    return _MEANT.get(codec.name, codec.name) if getattr(codec, "_is_text_encoding", True) else None
