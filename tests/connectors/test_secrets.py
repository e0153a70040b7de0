"""Secrets: kept as `${NAME}`, never as they are, and hidden in whatever a connector says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors import registry
from connectors.protocol import Closeable, Entry, Fetched, Historical, Listing, Watching
from connectors.secrets import discreet, expand, refuse_clear
from kb.errors import ConfigError, ExtractionError, SourceUnavailable

TOKEN = "t0p/s3cret"


def test_a_reference_is_replaced_wherever_it_stands() -> None:
    options = {"url": "https://u:${TOKEN}@host/", "list": ["a", "${TOKEN}"], "map": {"key": "${TOKEN}!"}, "n": 3}
    found = expand("web", options, {"TOKEN": TOKEN})
    assert found.options == {
        "url": f"https://u:{TOKEN}@host/",
        "list": ["a", TOKEN],
        "map": {"key": f"{TOKEN}!"},
        "n": 3,
    }
    assert found.secrets == {TOKEN}


def test_a_variable_that_is_not_set_is_named_with_its_key() -> None:
    with pytest.raises(ConfigError, match="sql source: `url` asks for the environment variable PASSWORD, which"):
        expand("sql", {"url": "postgresql://u:${PASSWORD}@host/db"}, {})


@pytest.mark.parametrize(
    "value",
    ["postgresql://u:geheim@host/db", "https://token@host/x.git", ["https://h/", "https://u:geheim@h/"], "ftp://:p@h/"],
)
def test_a_password_in_clear_is_refused_and_not_repeated(value) -> None:
    with pytest.raises(ConfigError, match="`url` holds a secret in clear") as caught:
        refuse_clear("sql", "url", value, whole=False)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["postgresql://u:${P}@host/db", "ssh://git@host/x.git", "https://host/a:b@c", None, 3]
)
def test_what_holds_no_secret_is_taken(value) -> None:
    refuse_clear("sql", "url", value, whole=False)


def test_an_option_that_is_a_secret_is_a_reference() -> None:
    refuse_clear("s3", "key", "${KEY}", whole=True)
    with pytest.raises(ConfigError):
        refuse_clear("s3", "key", "AKIA1234", whole=True)


def test_a_registered_kind_keeps_references_and_refuses_secrets(tmp_path) -> None:
    kept = registry.normalise("git", {"url": "https://u:${TOKEN}@host/x.git"}, base=tmp_path)
    assert kept == {"url": "https://u:${TOKEN}@host/x.git"}
    with pytest.raises(ConfigError, match="git source: `url` holds a secret in clear"):
        registry.normalise("git", {"url": "https://u:geheim@host/x.git"}, base=tmp_path)


@pytest.mark.parametrize(("kind", "key"), [("folder", "path"), ("git", "url")])
def test_a_path_may_begin_with_a_reference(kind, key, tmp_path) -> None:
    kept = registry.normalise(kind, {key: "${PLACE}/docs"}, base=Path("/elsewhere"))
    assert kept == {key: "${PLACE}/docs"}
    assert registry.normalise(kind, kept, base=Path("/elsewhere")) == kept
    environment = {"PLACE": str(tmp_path)}
    connector = registry.build(kind, kept, workspace=tmp_path, base=Path("/elsewhere"), environment=environment)
    with pytest.raises(SourceUnavailable, match="…/docs is not there"):
        connector.poll(None)


@dataclass
class Telltale:
    """Says the secret in every error."""

    keeps_history: bool = True
    closed: list[bool] = field(default_factory=list)

    def poll(self, checkpoint: str | None) -> Listing:
        raise SourceUnavailable(f"cannot log in with {TOKEN} at https://h/?key=t0p%2Fs3cret")

    def history(self, checkpoint: str | None) -> Iterator[Listing]:
        yield Listing((), "")
        raise RuntimeError(f"lost {TOKEN}")

    def fetch(self, entry: Entry) -> Fetched:
        raise ExtractionError("corrupt", f"{TOKEN} is not a key")

    def close(self) -> None:
        self.closed.append(True)


def test_no_error_holds_a_secret() -> None:
    told = Telltale()
    connector = discreet(told, frozenset({TOKEN}))
    with pytest.raises(SourceUnavailable, match=r"cannot log in with … at https://h/.key=…"):
        connector.poll(None)
    with pytest.raises(ExtractionError, match="… is not a key") as caught:
        connector.fetch(Entry("a", ""))
    assert (str(caught.value), caught.value.reason) == ("… is not a key", "corrupt")
    listings = connector.history(None)
    assert next(listings) == Listing((), "")
    with pytest.raises(RuntimeError, match="lost …"):
        next(listings)
    connector.close()
    assert told.closed


def test_it_offers_what_the_connector_offers() -> None:
    connector = discreet(Telltale(), frozenset({TOKEN}))
    assert isinstance(connector, Historical)
    assert isinstance(connector, Closeable)
    assert not isinstance(connector, Watching)
    assert discreet(connector, frozenset()) is connector
