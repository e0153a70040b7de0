"""The OpenAPI document: what FastAPI tells of the routes, and what all of them have in common."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kb.http.labels import REQUEST_ID, VERSION

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457); `title` is its name, `detail` tells which object and what to do.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:palimpsest:Expired"]},
        "title": {"type": "string", "examples": ["Expired"]},
        "status": {"type": "integer", "examples": [410]},
        "detail": {"type": "string", "examples": ["version 3 has expired; the oldest kept is 5, the nearest is 5"]},
    },
}
_PROBLEMS: Final = (400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 500, 503, 507)
_RETRIED: Final = (409, 429, 503, 507)
_LASTING: Final = ("show_snapshot", "diff_versions", "read_document")
_TAGS: Final = [
    {"name": "search", "description": "The best passages as of a version."},
    {"name": "versions", "description": "Snapshots, and what differs between them."},
    {"name": "documents", "description": "Documents as of a version, and their histories."},
    {"name": "sources", "description": "Where documents come from, and how fresh they are."},
]
_SPELT: Final = {"before": "from", "after": "to"}
"""`from` is no name for a Python attribute."""


def described(app: FastAPI) -> dict[str, Any]:
    """Of all routes that the application has."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=_TAGS,
    )
    found["components"] = _components(found.get("components", {}))
    for path in found["paths"].values():
        for operation in path.values():
            _complete(operation)
    return found


def _components(found: dict[str, Any]) -> dict[str, Any]:
    schemas = {name: schema for name, schema in found.get("schemas", {}).items() if "ValidationError" not in name}
    for schema in (schema for name, schema in schemas.items() if name == "Diff"):
        schema["properties"] = {_SPELT.get(name, name): part for name, part in schema["properties"].items()}
        schema["required"] = [_SPELT.get(name, name) for name in schema["required"]]
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {
        f"Problem{status}": {"description": HTTPStatus(status).phrase, "content": content, "headers": _headers(status)}
        for status in _PROBLEMS
    }
    headers = {
        VERSION: {"description": "The version that served, or else the newest.", "schema": {"type": "string"}},
        REQUEST_ID: {"description": "The caller's, or else a new one.", "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds after which another try may help.", "schema": {"type": "string"}},
        "ETag": {"description": "Where it was asked by versions' numbers.", "schema": {"type": "string"}},
    }
    return {**found, "schemas": {**schemas, "Problem": _PROBLEM}, "responses": problems, "headers": headers}


def _headers(status: int) -> dict[str, Any]:
    names = [REQUEST_ID, VERSION] if status == HTTPStatus.OK else [REQUEST_ID]
    names += ["Retry-After"] if status in _RETRIED else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    lasting = operation["operationId"] in _LASTING
    for response in responses.values():
        response.setdefault("headers", _headers(200) | _etag(lasting))
    responses |= {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _PROBLEMS}
    if lasting:
        responses["304"] = {"description": "It is as it was.", "headers": _headers(200) | _etag(lasting)}


def _etag(lasting: bool) -> dict[str, Any]:
    return {"ETag": {"$ref": "#/components/headers/ETag"}} if lasting else {}
