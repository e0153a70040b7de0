"""A knowledge base's home: the directory that holds its configuration, catalog and store."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from kb.errors import ConfigError, NotFound

CATALOG = "catalog.sqlite"
CONFIG = "config.toml"
DEFAULT_MODEL = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Config:
    """What `config.toml` says; every key is optional."""

    model: str = DEFAULT_MODEL
    """The embedding model: a name or the path of a Sentence-Transformers directory."""
    catalog: str = ""
    """The catalog's SQLAlchemy URL; empty for SQLite in the home."""
    workers: int = 2
    """Processes that extract and chunk."""
    extract_timeout_s: int = 60
    """Longest time that one document's extraction may take."""
    extract_memory_mb: int = 2048
    """Most memory that an extraction process may take."""
    max_document_mb: int = 50
    """Larger documents go to quarantine."""
    price_per_million_tokens: float = 0.0
    """What the embedder costs, for `kb plan`; 0 where it is one's own machine."""
    delete_guard: float = 0.5
    """Share of a source's documents that one sync may remove without `--allow-deletes`."""
    log_requests: bool = True
    """Whether every search is kept in the request log."""
    log_query_text: bool = True
    """Whether with its text; without it a request cannot be replayed."""
    log_retain_days: int = 30
    """How long a request is kept; 0 for ever. What somebody gave feedback on is kept for evaluation."""
    oidc_issuer: str = ""
    """The issuer of bearer tokens that are taken beside keys; empty for none."""
    oidc_audience: str = ""
    """What such a token must be made for."""
    oidc_jwks_url: str = ""
    """Where the issuer's public keys are."""
    oidc_groups_claim: str = "groups"
    """Where a token names the caller's groups; a path with dots, where there is no claim of just that name."""
    oidc_role_claim: str = ""
    """Where it names the caller's role; empty: all are readers."""
    access_log: bool = False
    """Whether the service writes a line of JSON on standard error for every request."""
    telemetry: str = ""
    """The URL of an OpenTelemetry collector that is sent spans of searches; empty for none."""


@dataclass(frozen=True, slots=True)
class Home:
    """A knowledge base's directory and its parsed configuration."""

    path: Path
    config: Config

    @property
    def catalog_url(self) -> str:
        return self.config.catalog or f"sqlite:///{self.path / CATALOG}"

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def lock(self) -> Path:
        return self.path / "writer.lock"

    @property
    def workspace(self) -> Path:
        """Where connectors keep what they fetch (git mirrors)."""
        return self.path / "workspace"


def named(home: Path | None) -> Path | None:
    """The given home, else `KB_HOME`, whether or not there is one yet."""
    if home is None and os.environ.get("KB_HOME"):
        return Path(os.environ["KB_HOME"])
    return home


def locate(start: Path | None = None) -> Path:
    """The given home, else `KB_HOME`, else the nearest `.kb` above the current directory. Raises NotFound."""
    if (start := named(start)) is not None:
        return _existing(start)
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / ".kb" / CONFIG).is_file():
            return directory / ".kb"
    raise NotFound(f"no knowledge base in {here} or above it: run `kb init`, or name one with --home")


def open_home(path: Path) -> Home:
    """Raises NotFound or ConfigError."""
    path = _existing(path.absolute())
    return Home(path, read_config(path / CONFIG))


def _existing(path: Path) -> Path:
    for candidate in (path, path / ".kb"):
        if (candidate / CONFIG).is_file():
            return candidate
    raise NotFound(f"no knowledge base at {path}: run `kb --home {path} init`")


def read_config(path: Path) -> Config:
    """Raises ConfigError for an unknown key, a wrong type or a broken file."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return _config(values, path)


_TYPES: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}


def _config(values: Mapping[str, Any], path: Path) -> Config:
    known = {field.name: type(field.default) for field in fields(Config)}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.4)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown key `{key}`; {hint}")
        expected = known[key]
        number = expected is float and type(value) is int
        if type(value) is not expected and not number:
            raise ConfigError(f"{path}: `{key}` must be {_TYPES[expected]}, not {value!r}")
        if (expected in (int, float) and value < 0) or (key == "workers" and value < 1):
            raise ConfigError(f"{path}: `{key}` is too small: {value}")
    return Config(**values)


def write_config(path: Path, model: str) -> None:
    """The configuration that `kb init` leaves: the model, and every other key as a comment with its default."""
    lines = ["# Palimpsest. Unknown keys are refused; a commented key shows its default.", f"model = {_toml(model)}"]
    lines += [f"# {field.name} = {_toml(field.default)}" for field in fields(Config) if field.name != "model"]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)
