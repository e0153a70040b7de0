"""Signed URLs: obstore knows where credentials come from and how Amazon wants a request to be signed.

Its own listing is not used: it fails wholly at one key with `//` or a control character in it, and strips the `/` that
a key begins or ends with, so that documents would be lost without a word. It signs the URL as it is spelt here.
"""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from connectors.s3.address import PAGE_KEYS, Address
from connectors.s3.options import S3Options
from kb.errors import SourceUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

_VALID_FOR = timedelta(minutes=15)


class Signer:
    """Signs for one bucket; without keys among the options, by what the environment, container or instance gives."""

    def __init__(self, options: S3Options, address: Address, subject: str) -> None:
        self._options = options
        self._address = address
        self._subject = subject

    def page_url(self, token: str | None, keys: int = PAGE_KEYS) -> str:
        """Of a page of the listing. What is returned holds secrets. Raises SourceUnavailable without credentials."""
        return self._signed(self._address.page_url(self._options.prefix, token, keys))

    def object_url(self, key: bytes) -> str:
        """Of an object. What is returned holds secrets. Raises SourceUnavailable without credentials."""
        name = key.decode("utf-8", "replace")
        if self._options.anonymous or not _is_plain(name):
            return self._signed(self._address.object_url(key))
        return self._sign(self._store, name)

    @cached_property
    def _store(self) -> "S3Store":
        """Kept, for it also keeps what credentials it was given for a while."""
        return self._open(self._address.root)

    def _signed(self, url: str) -> str:
        if self._options.anonymous:
            return url
        # To a store whose address ends in `#` the path behind it is no part of the request, so any URL can be signed.
        return self._sign(self._open(url + "#"), "").partition("#")[0]

    def _sign(self, store: "S3Store", name: str) -> str:
        import obstore
        from obstore.exceptions import BaseError

        try:
            return obstore.sign(store, "GET", name, _VALID_FOR)
        except BaseError as error:
            raise SourceUnavailable(f"{self._subject}: {self._words()}") from error

    def _words(self) -> str:
        if self._options.access_key_id:
            return "no request can be signed for this address; correct `endpoint`"
        return "no credentials were found on this machine; give access_key_id and secret_access_key, or anonymous=true"

    def _open(self, url: str) -> "S3Store":
        from obstore.store import S3Store

        patience = timedelta(seconds=min(self._options.timeout_s, 5))
        # The environment may give credentials, but never lead elsewhere than the options say.
        return S3Store(
            self._options.bucket,
            endpoint=url,
            aws_endpoint_url_s3=url,
            virtual_hosted_style_request=True,
            region=self._options.region,
            skip_signature=False,
            s3_express=False,
            request_payer=False,
            client_options={"connect_timeout": patience, "timeout": patience},
            retry_config={"max_retries": 1, "retry_timeout": patience},
            credential_provider=self._credentials if self._options.access_key_id else None,
        )

    def _credentials(self) -> "S3Credential":
        options = self._options
        assert options.access_key_id is not None, "it is only asked for these where there are some"
        assert options.secret_access_key is not None, "keys come in pairs"
        return {
            "access_key_id": options.access_key_id,
            "secret_access_key": options.secret_access_key,
            "token": options.session_token,
            "expires_at": None,
        }


def _is_plain(name: str) -> bool:
    """Whether obstore takes the key for what it is."""
    return name.isprintable() and "\ufffd" not in name and "" not in name.split("/")
