"""The errors that Palimpsest raises, each with its exit code, HTTP status and whether a retry may help.

KBError
├── UsageError            the caller asked for something that cannot be
│   ├── ConfigError       a configuration file or option says something that cannot be
│   └── Conflict          an idempotency key came again with other content
├── NotFound              no such source, document, version or knowledge base
├── Forbidden             the caller is known, and may not do this
├── Unauthorized          the caller is not known
├── Expired               the version was published once and is no longer kept
├── Locked                another writer holds the lock
├── Unwritable            the home's disk is full, or it may not be written; what was published stays
├── SourceUnavailable     a source could not be read; its documents stay as they are
│   └── DeletionRefused   a source lost more documents than its guard allows
├── DocumentUnavailable   one document could not be read; its last good version stays
│   └── DocumentGone      it vanished between the listing and the reading
├── ExtractionError       a document's bytes gave no text; it goes to quarantine with the reason
├── Busy                  the service has too much to do, or the answer would take too long
├── EmbedderError         the embedding model cannot be loaded or is not the recorded one
├── Interrupted           work was stopped on request before it was done
└── Corrupt               what is stored contradicts its own digests
"""

from typing import ClassVar


class KBError(Exception):
    """Base of all errors here; its text is one line that names the object and the remedy."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    retry_helps: ClassVar[bool] = False


class UsageError(KBError):
    exit_code = 2
    http_status = 422


class ConfigError(UsageError):
    pass


class Conflict(UsageError):
    http_status = 409


class NotFound(KBError):
    exit_code = 3
    http_status = 404


class Forbidden(KBError):
    http_status = 403


class Unauthorized(KBError):
    http_status = 401


class Expired(KBError):
    exit_code = 4
    http_status = 410


class Locked(KBError):
    exit_code = 5
    http_status = 409
    retry_helps = True


class Unwritable(KBError):
    http_status = 507
    retry_helps = True


class SourceUnavailable(KBError):
    http_status = 503
    retry_helps = True


class DeletionRefused(SourceUnavailable):
    http_status = 409
    retry_helps = False


class DocumentUnavailable(KBError):
    http_status = 503
    retry_helps = True


class DocumentGone(DocumentUnavailable):
    pass


class ExtractionError(KBError):
    """`reason` is one of `kb.nouns.QUARANTINE_REASONS`; the text tells the particulars."""

    http_status = 422

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class Busy(KBError):
    http_status = 503
    retry_helps = True


class EmbedderError(KBError):
    pass


class Interrupted(KBError):
    exit_code = 130
    retry_helps = True


class Corrupt(KBError):
    pass
