"""Spans of searches, after OpenTelemetry's conventions for generative AI. The one door to OpenTelemetry.

They go to whatever the application has set up, or where `telemetry` in the configuration says; else nowhere.
"""

from collections.abc import Callable
from functools import cache, wraps
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from kb.answers import Answer
from kb.errors import ConfigError
from kb.home import Home

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_NAME: Final = "palimpsest"
_TRACES: Final = "/v1/traces"
_SEND_S: Final = 2.0
"""How long a collector may take, tries included: a command waits for it when it ends."""


class _Based(Protocol):
    home: Home


Base = TypeVar("Base", bound=_Based)
Asked = ParamSpec("Asked")
Search = Callable[Concatenate[Base, Asked], Answer]


def retrieval(search: Search[Base, Asked]) -> Search[Base, Asked]:
    """The search, in a span of its own. It tells neither what was asked nor what was found: counts and times alone."""

    @wraps(search)
    def traced(base: Base, /, *asked: Asked.args, **settings: Asked.kwargs) -> Answer:
        # Here, for whoever does not search need not wait for it.
        from opentelemetry.trace import StatusCode

        tracer = _tracer(base.home.config.telemetry)
        attributes = {"gen_ai.operation.name": "retrieval", "gen_ai.provider.name": _NAME}
        with tracer.start_as_current_span(
            "retrieval", attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                answer = search(base, *asked, **settings)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise
            _describe(span, answer, settings.get("k"))
            return answer

    return traced


def _describe(span: "Span", answer: Answer, k: Any) -> None:
    if not span.is_recording():
        return
    facts: dict[str, Any] = {
        "kb.version": answer.as_of.version,
        "kb.digest": answer.as_of.digest,
        "kb.request_id": answer.request_id,
        "kb.mode": answer.mode,
        "kb.exact": answer.exact,
        "kb.hits": len(answer.hits),
    }
    if isinstance(k, int):
        facts["gen_ai.request.top_k"] = k
    steps = {f"kb.{step}_ms": took_ms for step, took_ms in getattr(answer, "timings", {}).items()}
    span.set_attributes(facts | steps)


def _tracer(endpoint: str) -> "Tracer":
    if endpoint:
        return _own(endpoint)
    from opentelemetry.trace import get_tracer

    return get_tracer(_NAME, _version())


@cache
def _version() -> str:
    """Its own, read from a file."""
    return version(_NAME)


@cache
def _own(endpoint: str) -> "Tracer":
    """Beside whatever the application has set up. What is not sent yet when the process ends is sent then."""
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(f"`telemetry` must be a collector's URL, such as http://localhost:4318, not {endpoint!r}")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise ConfigError(f"`telemetry` needs {error.name}: install palimpsest[telemetry]") from error
    provider = TracerProvider(resource=Resource.create({"service.name": _NAME, "service.version": _version()}))
    exporter = OTLPSpanExporter(endpoint.rstrip("/").removesuffix(_TRACES) + _TRACES, timeout=_SEND_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer(_NAME, _version())
