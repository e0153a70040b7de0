"""Who calls: keys and bearer tokens of an issuer, and where neither is needed."""

import hmac
import ipaddress
import re
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kb.access import Groups, keys_of
from kb.catalog import Catalog, keys
from kb.clock import now
from kb.errors import KBError, NotFound, Unauthorized, UsageError
from kb.home import Config, Home
from kb.keys import SEEING_ALL, Key, Role, digest_of, id_of, make_token
from kb.oidc import issuer

LOCAL: Final = "local"
"""The name of whoever needs no key: the machine's own user."""
_USED_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a key was last used."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")
_NO_DIGEST: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Identity:
    """`groups` is None for one who sees everything."""

    name: str
    role: Role
    groups: Groups | None


class Callers:
    """Tells who a token stands for. For any number of threads."""

    def __init__(self, home: Home, catalog: Catalog) -> None:
        """Raises ConfigError."""
        self._catalog = catalog
        self._issuer = issuer(home.config)
        # That a key was used may be forgotten; that its caller waits may not be.
        self._noting = Catalog(home.catalog_url, wait_ms=50, sync=False)
        self._used: dict[str, datetime] = {}

    def known(self) -> bool:
        """Whether there is any caller who needs a token: then all do, but for the machine's own user on its socket."""
        if self._issuer is not None:
            return True
        with self._catalog.reading() as connection:
            return keys.any_there(connection)

    def identify(self, token: str, moment: datetime) -> Identity:
        """Raises Unauthorized, in the same words for a key that never was and one that was removed."""
        if (key_id := id_of(token)) is not None:
            return self._by_key(key_id, token, moment)
        if self._issuer is None:
            raise Unauthorized("the bearer token is no key: `kb key add` makes one")
        name, role, groups = self._issuer.identify(token)
        return Identity(name, role, None if role in SEEING_ALL else groups)

    def _by_key(self, key_id: str, token: str, moment: datetime) -> Identity:
        with self._catalog.reading() as connection:
            found = keys.secret_of(connection, key_id)
        # Compared in any case, and in constant time: how long it takes tells nothing.
        right = hmac.compare_digest(digest_of(token), _NO_DIGEST if found is None else found[1])
        if found is None or not right:
            raise Unauthorized("there is no such key: `kb key list` shows those there are")
        key = found[0]
        if key.expires_at is not None and key.expires_at <= moment:
            raise Unauthorized(f"the key {key.name} has expired: make a new one with `kb key add`")
        self._note_use(key, moment)
        return Identity(key.name, key.role, key.groups)

    def _note_use(self, key: Key, moment: datetime) -> None:
        last = self._used.get(key.key_id, key.last_used_at)
        if last is not None and moment - last < _USED_EVERY:
            return
        self._used[key.key_id] = moment
        try:
            with self._noting.writing() as connection:
                keys.use(connection, key.key_id, moment)
        except KBError:
            # A home that cannot be written now can be read.
            return


def add_key(
    catalog: Catalog, name: str, role: Role, groups: tuple[str, ...], expires: timedelta | None = None
) -> tuple[Key, str]:
    """The new key, and its token, which cannot be shown again. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"a key's name is made of letters, digits and `_ . @ -`, at most 100: not {name[:100]!r}")
    if role in SEEING_ALL and groups:
        raise UsageError(f"the role {role} sees everything: leave out --group")
    key_id, token = make_token()
    made = now()
    seen = None if role in SEEING_ALL else keys_of(groups)[1:]
    key = Key(key_id, name, role, seen, made, None if expires is None else made + expires)
    with catalog.writing() as connection:
        if keys.named(connection, name) is not None:
            raise UsageError(f"there is a key {name!r} already: remove it first with `kb key remove {name}`")
        keys.add(connection, key, digest_of(token))
    return key, token


def remove_key(catalog: Catalog, name: str) -> None:
    """It opens nothing from now on. Raises NotFound."""
    with catalog.writing() as connection:
        if not keys.remove(connection, name):
            raise NotFound(f"there is no key {name!r}: `kb key list` shows them")


def require_callers(catalog: Catalog, config: Config, host: str) -> None:
    """Raises UsageError where the address can be reached from elsewhere and nobody needs a key; and ConfigError."""
    if issuer(config) is not None or is_loopback(host):
        return
    with catalog.reading() as connection:
        if not keys.any_there(connection):
            raise UsageError(
                f"{host or 'every address'} can be reached from elsewhere, and no caller needs a key yet: "
                "make one with `kb key add NAME --role reader`, or serve on 127.0.0.1"
            )


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches the address, whatever of its names resolve to."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host or None, 0, flags=socket.AI_PASSIVE)}
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(str(address).partition("%")[0]) for address in found]
    return bool(addresses) and all(address.is_loopback for address in addresses)
