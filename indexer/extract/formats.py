"""What kind of document bytes are: their content first, then the media type that the source gave, then the name."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal[
    "text", "markdown", "rst", "code", "csv", "html", "eml", "mbox",
    "pdf", "zip", "ole", "rtf", "archive", "binary", "missing",
]  # fmt: skip


PLAIN = frozenset[Kind](("text", "markdown", "rst", "code", "csv"))


@dataclass(frozen=True, slots=True)
class Format:
    """`missing`: the name promises a container (`.docx`, `.pdf`) that the bytes are not."""

    kind: Kind
    media_type: str
    named: bool
    """Whether the name or the source says that this is a document."""


_MAGIC: tuple[tuple[bytes, Kind, str], ...] = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"PK\x03\x04", "zip", "application/zip"),
    (b"PK\x05\x06", "zip", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "application/x-ole-storage"),
    (b"{\\rtf", "rtf", "application/rtf"),
    (b"\x1f\x8b", "archive", "application/gzip"),
    (b"BZh", "archive", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "archive", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "archive", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "archive", "application/zstd"),
    (b"\x89PNG", "binary", "image/png"),
    (b"\xff\xd8\xff", "binary", "image/jpeg"),
    (b"\x7fELF", "binary", "application/x-executable"),
)

_NAMED: dict[str, tuple[Kind, str]] = {
    "md": ("markdown", "text/markdown"), "mdx": ("markdown", "text/markdown"),
    "markdown": ("markdown", "text/markdown"),
    "rst": ("rst", "text/x-rst"), "rest": ("rst", "text/x-rst"),
    "csv": ("csv", "text/csv"), "tsv": ("csv", "text/tab-separated-values"),
    "htm": ("html", "text/html"), "html": ("html", "text/html"), "xhtml": ("html", "application/xhtml+xml"),
    "eml": ("eml", "message/rfc822"), "mbox": ("mbox", "application/mbox"),
    "json": ("code", "application/json"), "jsonl": ("text", "application/jsonl"),
    "xml": ("code", "application/xml"), "xsd": ("code", "application/xml"), "xsl": ("code", "application/xml"),
    "svg": ("code", "image/svg+xml"), "yaml": ("code", "application/yaml"), "yml": ("code", "application/yaml"),
    "toml": ("code", "application/toml"), "ipynb": ("code", "application/x-ipynb+json"),
    "py": ("code", "text/x-python"), "pyi": ("code", "text/x-python"), "js": ("code", "text/javascript"),
    "css": ("code", "text/css"), "sql": ("code", "application/sql"), "sh": ("code", "application/x-sh"),
    "tex": ("text", "application/x-tex"), "bib": ("text", "text/x-bibtex"), "vtt": ("text", "text/vtt"),
    "ics": ("text", "text/calendar"), "vcf": ("text", "text/vcard"), "ndjson": ("text", "application/jsonl"),
}  # fmt: skip
_TEXTS = "txt text log adoc asciidoc org textile wiki srt po pot diff patch readme me 1 2 3 4 5 6 7 8"
_CODES = (
    "asm awk bash bat bzl c cc cfg cjs clj cljs cmake cmd coffee conf cpp cs cxx d dart dockerfile el elm env erl ex "
    "exs f f90 fish fs gradle go graphql groovy h hcl hh hpp hs hxx ini ipp java jl jsx kt kts less lisp lua m make "
    "mjs mk ml mli mm nim nix pas php pl pm properties proto ps1 psm1 r rb rkt rs s sass scala scm scss st styl svelte "
    "swift tcl tf thrift ts tsx v vb vhd vhdl vim vue zig zsh"
)
_NAMED |= dict.fromkeys(_TEXTS.split(), ("text", "text/plain")) | dict.fromkeys(_CODES.split(), ("code", "text/plain"))
_BARE = frozenset(("makefile", "dockerfile", "jenkinsfile", "rakefile", "gemfile"))
_CONTAINERS = {
    "pdf", "docx", "docm", "dotx", "pptx", "pptm", "ppsx", "potx", "xlsx", "xlsm", "xltx", "xlsb", "msg",
    "odt", "ods", "odp", "odg", "epub", "zip", "7z", "rar", "gz", "tgz", "bz2", "xz", "zst",
}  # fmt: skip
_LEGACY = {"doc", "dot", "xls", "ppt", "pps", "rtf"}
_BY_TYPE: dict[str, Kind] = {
    "text/html": "html", "application/xhtml+xml": "html", "message/rfc822": "eml", "text/markdown": "markdown",
    "text/x-rst": "rst", "text/prs.fallenstein.rst": "rst", "text/csv": "csv", "text/tab-separated-values": "csv",
    "application/mbox": "mbox", "application/json": "code", "application/xml": "code", "text/xml": "code",
    "application/yaml": "code", "text/x-python": "code", "text/javascript": "code",
}  # fmt: skip
_HTML = re.compile(rb"\s*(<!--.{0,2000}?-->\s*)*(<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(
    rb"^(From|To|Cc|Subject|Date|Received|Return-Path|Reply-To|MIME-Version|Message-ID|Delivered-To): ", re.I | re.M
)
_MBOX = re.compile(rb"From \S+.{0,60}\d\d:\d\d.{0,40}\n[\w-]+: ")


def recognise(content: bytes, uri: str, media_type: str | None = None) -> Format:
    """The format of the bytes. A container's own marks beat every name; a name beats a guess from the words."""
    suffix, kind_named = _suffix(uri), _named(uri, media_type)
    for magic, kind, found in _MAGIC:
        if content.startswith(magic):
            return Format(kind, found, named=bool(kind_named) or suffix in _CONTAINERS | _LEGACY)
    if content[257:262] == b"ustar":
        return Format("archive", "application/x-tar", named=True)
    if kind_named is not None:
        return Format(*kind_named, named=True)
    # What a source calls text may bear the name of the file that it was taken from.
    if suffix in _CONTAINERS and not (media_type or "").startswith("text/"):
        late = suffix == "pdf" and b"%PDF-" in content[:1024]
        return Format(
            "pdf" if late else "missing", "application/pdf" if late else "application/octet-stream", named=True
        )
    kind, found = _sniffed(content)
    return Format(kind, found, named=suffix in _LEGACY or (media_type or "").startswith("text/"))


def suffix_of(uri: str) -> str:
    """The name's extension in small letters, without its dot; of a URL, that of its path."""
    return _suffix(uri)


def _suffix(uri: str) -> str:
    path = PurePosixPath(re.split(r"[?#]", uri)[0] if "://" in uri else uri)
    return path.suffix[1:].lower()


def _named(uri: str, media_type: str | None) -> tuple[Kind, str] | None:
    essence = (media_type or "").split(";")[0].strip().lower()
    if essence in _BY_TYPE:
        return _BY_TYPE[essence], essence
    name = PurePosixPath(uri).name.lower()
    if name in _BARE:
        return "code", "text/plain"
    return _NAMED.get(_suffix(uri))


def _sniffed(content: bytes) -> tuple[Kind, str]:
    head = content[:4096]
    if _HTML.match(head):
        return "html", "text/html"
    if _MBOX.match(head):
        return "mbox", "application/mbox"
    if _HEADER.match(head) and len(set(_HEADER.findall(head))) >= 3:
        return "eml", "message/rfc822"
    return ("code" if head.startswith(b"#!") else "text"), "text/plain"
