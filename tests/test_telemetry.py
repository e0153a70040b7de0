"""Spans of searches: to the application that wants them, or to the collector of the configuration; else to nobody."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cli_support import two_sources
from crash_support import call
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import kb
from kb.home import CONFIG
from kb.metrics import exposition, observe

QUERY = "return goods within 30 days"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources(tmp_path_factory.mktemp("telemetry"))


class Collector(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Collecting)
        self.received: list[tuple[str, bytes]] = []


class Collecting(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


SEARCHING = """
import json, sys
import kb
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
with kb.open(sys.argv[1]) as base:
    base.search(sys.argv[2], as_of=1, k=3)
    try:
        base.search(sys.argv[2], as_of=99)
    except kb.KBError:
        pass
for span in spans.get_finished_spans():
    print(json.dumps([span.name, dict(span.attributes), span.status.status_code.name, len(span.events)]))
"""


def test_an_application_that_has_set_it_up_gets_spans(home: Path) -> None:
    run = subprocess.run([sys.executable, "-c", SEARCHING, home, QUERY], capture_output=True, text=True, check=True)
    (name, found, status, events), (_, failed, failure, _) = map(json.loads, run.stdout.splitlines())
    assert (name, status, events) == ("retrieval", "UNSET", 0)
    assert found["gen_ai.operation.name"] == "retrieval"
    assert found["gen_ai.request.top_k"] == 3
    assert (found["kb.version"], found["kb.mode"], found["kb.exact"]) == (1, "hybrid", False)
    assert found["kb.hits"] > 0
    assert (failed["error.type"], failure) == ("NotFound", "ERROR")
    assert QUERY not in run.stdout


def set_up(home: Path, place: Path, telemetry: str) -> Path:
    """A copy of the home whose configuration says so."""
    copy = place / "home"
    subprocess.run(["cp", "-r", home, copy], check=True)
    with (copy / CONFIG).open("a", encoding="utf-8") as config:
        config.write(f"telemetry = {json.dumps(telemetry)}\n")
    return copy


def searched(home: Path) -> None:
    """By a program of its own: it sends the rest when it ends."""
    program = "import sys, kb; kb.open(sys.argv[1]).search(sys.argv[2], k=2)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", program, home, QUERY], check=True, env=environment)


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_the_collector_of_the_configuration_gets_them(
    home: Path, tmp_path: Path, collector: Collector, path: str
) -> None:
    searched(set_up(home, tmp_path, f"http://127.0.0.1:{collector.server_port}{path}"))
    ((path, content),) = collector.received
    assert path == "/v1/traces"
    assert QUERY.encode() not in content
    (resource,) = ExportTraceServiceRequest.FromString(content).resource_spans
    (span,) = resource.scope_spans[0].spans
    attributes: dict[str, Any] = {pair.key: pair.value for pair in span.attributes}
    assert attributes["gen_ai.operation.name"].string_value == "retrieval"
    assert attributes["kb.version"].int_value == 4


def test_a_collector_that_is_not_there_harms_nobody(home: Path, tmp_path: Path) -> None:
    searched(set_up(home, tmp_path, "http://127.0.0.1:1"))


def test_what_is_no_collector_is_told(home: Path, tmp_path: Path) -> None:
    called = call("--home", set_up(home, tmp_path, "otlp"), "search", QUERY)
    assert called.code == 2
    assert "`telemetry` must be a collector's URL" in called.error


def test_a_search_is_counted_step_by_step(home: Path) -> None:
    with kb.open(home) as base:
        before = counted(exposition(base))
        observe(base.search(QUERY))
        assert counted(exposition(base)) == before + 1


def counted(text: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith('kb_search_seconds_count{step="whole"}')]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0
