"""Generates schemas/*.json, the public contracts, from the types that the program answers with."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from indexer.outcome import SyncReport
from indexer.plan import Plan
from indexer.retain import Retention
from kb.answers import Answer, Diff, Document, Shown, Status, Verification
from kb.catalog.scan import Quarantined
from kb.home import Config
from kb.http.app import openapi
from kb.keys import Key
from kb.nouns import DocumentVersion, Provenance, Snapshot, Source
from kb.pushing import Receipt
from kb.requests import Feedback, LoggedRequest, Replay

SCHEMAS = Path(__file__).parents[1] / "schemas"
TYPES: dict[str, Any] = {
    "cat": Document,
    "configuration": Config,
    "diff": Diff,
    "feedback": Feedback,
    "history": list[DocumentVersion],
    "keys": list[Key],
    "log": list[Snapshot],
    "plan": list[Plan],
    "provenance": Provenance,
    "push": Receipt,
    "quarantine": list[Quarantined],
    "replay": Replay,
    "request": LoggedRequest,
    "retain": Retention,
    "search": Answer,
    "show": Shown,
    "sources": list[Source],
    "status": Status,
    "sync": SyncReport,
    "verify": Verification,
}


def generated() -> dict[str, str]:
    """Each file's name and what it must hold."""
    files = {}
    for name, type_ in TYPES.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **TypeAdapter(type_).json_schema()}
        if type_ is Diff:
            schema = _spelt(schema)
        files[f"{name}.json"] = _written(schema)
    return files | {"openapi.json": _written(openapi())}


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _spelt(schema: dict[str, Any]) -> dict[str, Any]:
    """`from` is no name for a Python attribute."""
    names = {"before": "from", "after": "to"}
    properties = {names.get(name, name): part for name, part in schema["properties"].items()}
    return schema | {"properties": properties, "required": [names.get(name, name) for name in schema["required"]]}


def drifted() -> list[str]:
    """Files of schemas/ that are not as the types have them."""
    wanted = generated()
    found = {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main() -> None:
    if "--check" in sys.argv[1:]:
        names = drifted()
        sys.exit(
            f"schemas that are not as the types have them: {', '.join(names)}; run scripts/schemas" if names else 0
        )
    SCHEMAS.mkdir(exist_ok=True)
    for path in SCHEMAS.glob("*.json"):
        path.unlink()
    for name, text in generated().items():
        (SCHEMAS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
