"""Chroma's server, run from a virtual environment of its own and spoken to over HTTP: the same rows, by vector."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pyarrow as pa

from scripts.benchmarks.serve_parts.asking import Target
from scripts.stresses.parts.served import free_port

_PATIENCE_S: Final = 60.0
_BATCH: Final = 1_000
_COLLECTIONS: Final = "/api/v2/tenants/default_tenant/databases/default_database/collections"
_TOLD: Final = ["documents", "metadatas", "distances"]


@contextmanager
def chroma(program: Path, directory: Path, rows: pa.Table, vectors: Sequence[np.ndarray]) -> Iterator[Target]:
    """Filled with the rows, and asked for the ten nearest of each vector, with text and URI."""
    port = free_port()
    command = [str(program), "run", "--path", str(directory), "--port", str(port)]
    environment = {"ANONYMIZED_TELEMETRY": "False", "HOME": str(directory), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        with httpx.Client(base_url=f"http://localhost:{port}", timeout=120) as http:
            _await(http)
            collection = _fill(http, rows)
        asked = [{"query_embeddings": [one.tolist()], "n_results": 10, "include": _TOLD} for one in vectors]
        bodies = [json.dumps(one).encode() for one in asked]
        yield Target(f"http://localhost:{port}{_COLLECTIONS}/{collection}/query", bodies)
    finally:
        process.kill()
        process.wait()


def _await(http: httpx.Client) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if http.get("/api/v2/heartbeat").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"Chroma does not answer after {_PATIENCE_S:.0f} s")
        time.sleep(0.1)


def _fill(http: httpx.Client, rows: pa.Table) -> str:
    asked = {"name": "chunks", "configuration": {"hnsw": {"space": "cosine"}}}
    collection = str(_posted(http, _COLLECTIONS, asked)["id"])
    for batch in rows.to_batches(_BATCH):
        columns = batch.to_pydict()
        added = {
            "ids": columns["chunk_id"],
            "embeddings": columns["vector"],
            "documents": columns["text"],
            "metadatas": [{"uri": uri} for uri in columns["uri"]],
        }
        _posted(http, f"{_COLLECTIONS}/{collection}/add", added)
    return collection


def _posted(http: httpx.Client, path: str, asked: Any) -> Any:
    found = http.post(path, json=asked)
    if found.status_code not in (200, 201):
        raise RuntimeError(f"Chroma answered {found.status_code}: {found.text[:200]}")
    return found.json()
