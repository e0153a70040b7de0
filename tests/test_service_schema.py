"""The OpenAPI document says what the service does: schemathesis finds nothing that it does otherwise."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from cli_support import two_sources
from hypothesis import settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from service_support import client_of, serving

from kb.http.app import openapi
from kb.http.server import Server

load_all_checks()
# What the schema allows may still name a version, a filter or a document that is not there: 404 and 422 are answers.
LEFT_OUT = [CHECKS.get_one("positive_data_acceptance")]
# 413: what breaks the schema may be too large to be looked at.
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 422]}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(two_sources(tmp_path_factory.mktemp("schema"))) as found:
        yield found


schema = schemathesis.openapi.from_dict(openapi(), config=SchemathesisConfig.from_dict(CONFIG))


@schema.parametrize()
@settings(max_examples=settings().max_examples // 4)
def test_the_service_does_what_its_description_says(server: Server, case: Any) -> None:
    case.call_and_validate(base_url=server.url, excluded_checks=LEFT_OUT)


def test_the_description_is_served(server: Server) -> None:
    with client_of(server) as client:
        assert client.get("/v1/openapi.json").json() == openapi()


def test_every_operation_is_described_with_its_problems() -> None:
    found = openapi()
    operations = {one["operationId"]: one for path in found["paths"].values() for one in path.values()}
    assert len(operations) == sum(len(path) for path in found["paths"].values())
    for one in operations.values():
        assert one["tags"]
        assert one["description"]
        assert {"200", "400", "404", "410", "413", "422", "429", "503"} <= one["responses"].keys()
        assert "Kb-Version" in one["responses"]["200"]["headers"]
    for name in ("search", "search_vector_store"):
        assert operations[name]["requestBody"]["content"]["application/json"]["examples"]


def test_the_examples_are_taken(server: Server) -> None:
    content = openapi()["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]
    with client_of(server) as client:
        for example in content["examples"].values():
            # The handbook is nobody's here, and in 2024 nothing was published.
            assert client.post("/v1/search", json=example["value"]).status_code in (200, 404)


def test_a_diff_is_described_as_it_is_spelt() -> None:
    properties = openapi()["components"]["schemas"]["Diff"]["properties"]
    assert list(properties)[:2] == ["from", "to"]
