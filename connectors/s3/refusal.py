"""What an S3 server says when it refuses, and which option would mend it."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from connectors.s3.options import S3Options
from connectors.s3.wire import Answer

_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ELSEWHERE = (
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
)
_REMEDIES = {
    "NoSuchBucket": "there is no such bucket; correct `url`",
    "InvalidBucketName": "a bucket cannot be called so; correct `url`",
    "AccountProblem": "its account has a problem; see to it",
    "AllAccessDisabled": "its access was disabled; see to it, or correct `url`",
    "InvalidAccessKeyId": "`access_key_id` is not known there; correct it",
    "SignatureDoesNotMatch": "the credentials are wrong; correct `secret_access_key`",
    "ExpiredToken": "`session_token` has expired; give a new one",
    "InvalidToken": "`session_token` is wrong; correct it, or leave it out where there is none",
    "TokenRefreshRequired": "`session_token` has expired; give a new one",
    "RequestTimeTooSkewed": "this machine's clock differs from the server's; set it",
    "RequestExpired": "this machine's clock differs from the server's; set it",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 200. `code` is S3's own word, empty where the server is none."""

    status: int
    code: str
    region: str
    storage_class: str

    def words(self, options: S3Options) -> str:
        """One line: what it says, and the option to mend."""
        said = f"{self.status} {self.code}".strip()
        return f"{said}: {self._remedy(options)}"

    def _remedy(self, options: S3Options) -> str:
        if self.code in _REMEDIES:
            return _REMEDIES[self.code]
        if self.region and self.region != options.region:
            return f"the bucket is in another region; give region={self.region}"
        if self.code in _ELSEWHERE or 300 <= self.status < 400:
            return "the bucket is to be read elsewhere; correct `region` or `endpoint`"
        if self.status in (401, 403):
            return _denied(options)
        if self.status >= 500 or self.status == 429:
            return "the server is busy or out of order; try again later"
        return "this is not how S3 answers; correct `endpoint`"


def refusal(answer: Answer) -> Refusal:
    """Whatever can be learned from the answer; its content may be anything."""
    told = _told(answer.content)
    region = answer.headers.get("x-amz-bucket-region") or told.get("Region", "")
    return Refusal(
        answer.status,
        _fit(_CODE, told.get("Code", "")),
        _fit(_WORD, region),
        _fit(_WORD, told.get("StorageClass") or told.get("AccessTier", "")),
    )


def _told(content: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    return {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in root}


def _fit(pattern: re.Pattern[str], word: str) -> str:
    return word if pattern.fullmatch(word) else ""


def _denied(options: S3Options) -> str:
    if options.anonymous:
        return "it is not open to everybody; give access_key_id and secret_access_key in place of `anonymous`"
    who = "`access_key_id`" if options.access_key_id else "this machine's own credentials"
    return f"access is denied to {who}; let them list and read the bucket, or correct them"
