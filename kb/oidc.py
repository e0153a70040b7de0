"""Bearer tokens of an OpenID Connect issuer. The one door to PyJWT."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from kb.access import Groups, parse
from kb.errors import ConfigError, SourceUnavailable, Unauthorized
from kb.home import Config
from kb.keys import ROLES, Role

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those by which only the issuer can sign: by a symmetric one, whoever can verify could."""
_LEEWAY_S: Final = 30
_TIMEOUT_S: Final = 5.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Issuer:
    """Verifies the tokens of the configured issuer; its public keys are fetched when first needed, and kept a while."""

    def __init__(self, config: Config, refresh_s: float = 300.0, cooldown_s: float = 30.0) -> None:
        """An unknown key is looked for at the issuer once in `cooldown_s`. Raises ConfigError."""
        _check(config)
        self._config = config
        self._times = (refresh_s, cooldown_s)
        self._keys: Any = None

    def identify(self, token: str) -> tuple[str, Role, Groups]:
        """Whom the token names, in what role, of what groups. Raises Unauthorized, SourceUnavailable without keys."""
        import jwt

        try:
            key = self._client().get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=list(_ALGORITHMS),
                audience=self._config.oidc_audience,
                issuer=self._config.oidc_issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise SourceUnavailable("the issuer's public keys cannot be had now: try again") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthorized(f"the bearer token is not valid: {error}") from error
        if not claims["sub"].isprintable():
            raise Unauthorized("the bearer token names nobody that could be written down")
        return f"oidc:{claims['sub']}", self._role(claims), _groups(_claim(claims, self._config.oidc_groups_claim))

    def _client(self) -> Any:
        import jwt

        if self._keys is None:
            refresh_s, cooldown_s = self._times
            self._keys = jwt.PyJWKClient(
                self._config.oidc_jwks_url, lifespan=refresh_s, cooldown_duration=cooldown_s, timeout=_TIMEOUT_S
            )
        return self._keys

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """The greatest that is named; nobody is more than a reader by a claim that is not configured."""
        found = _claim(claims, self._config.oidc_role_claim) if self._config.oidc_role_claim else None
        named = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return next((role for role in reversed(ROLES) if role in named), "reader")


def issuer(config: Config) -> Issuer | None:
    """None where none is configured. Raises ConfigError."""
    return Issuer(config) if config.oidc_issuer else None


def _check(config: Config) -> None:
    for name in ("oidc_audience", "oidc_jwks_url"):
        if not getattr(config, name):
            raise ConfigError(f"`{name}` is missing: with `oidc_issuer` it is needed, too")
    url = urlsplit(config.oidc_jwks_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise ConfigError("`oidc_jwks_url` must be an https URL: who can change the keys can be anybody")


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name, else what the dotted path leads to."""
    found: Any = claims
    if name in claims:
        return claims[name]
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _groups(found: Any) -> Groups:
    """What is no name of a group opens nothing."""
    named = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    groups: set[str] = set()
    for name in named:
        try:
            groups.update(parse([name]) or ())
        except ConfigError:
            continue
    return tuple(sorted(groups))
