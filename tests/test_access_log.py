"""The access log: one line of JSON for each request, by one setting, and nothing of what was asked in it."""

import json
from pathlib import Path

import pytest
from cli_support import two_sources
from service_support import client_of, serving

from kb.home import CONFIG

SECRET = "return goods within 30 days"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("access_log"))


def lines(home: Path, setting: str, capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    config = home / CONFIG
    before = config.read_text("utf-8")
    config.write_text(f"{before}\n{setting}\n", "utf-8")
    try:
        with serving(home) as server, client_of(server) as client:
            client.post("/v1/search", json={"query": SECRET}, headers={"X-Request-Id": "mine-1"}).raise_for_status()
            client.get("/v1/snapshots/999")
            client.get("/v1/sources", headers={"Authorization": "Bearer nonsense"})
    finally:
        config.write_text(before, "utf-8")
    told = capfd.readouterr().err
    assert SECRET not in told
    return [json.loads(line) for line in told.splitlines()]


def test_every_request_has_its_line(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found, missing, refused = lines(home, "access_log = true", capfd)
    assert (found["method"], found["path"], found["status"]) == ("POST", "/v1/search", 200)
    assert (found["caller"], found["version"], found["request_id"]) == ("local", "4", "mine-1")
    assert found["client"] == "127.0.0.1"
    assert int(str(found["bytes"])) > 100
    assert float(str(found["took_ms"])) > 0
    assert missing["status"] == 404
    assert (refused["status"], refused["caller"], refused["version"]) == (401, None, None)


def test_off_it_says_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert lines(home, "", capfd) == []
