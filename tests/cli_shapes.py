"""What the JSON of each command looks like: the keys in their order, and each one's type."""

from collections.abc import Mapping
from typing import Any

NUMBER, NOTHING = (int, float), type(None)
SNAPSHOT: Mapping[str, Any] = {
    "version": int,
    "parent": (int, NOTHING),
    "committed_at": str,
    "source": (str, NOTHING),
    "source_revision": (str, NOTHING),
    "source_time": (str, NOTHING),
    "message": (str, NOTHING),
    "fingerprint": str,
    "documents": {"added": int, "changed": int, "removed": int, "total": int},
    "chunks": {"added": int, "removed": int, "embedded": int, "reused": int, "total": int},
    "content_digest": str,
    "rows_digest": str,
    "changes_digest": str,
    "digest": str,
}
DOCUMENT: Mapping[str, Any] = {
    "document_id": str,
    "source": str,
    "uri": str,
    "since": int,
    "until": int,
    "title": (str, NOTHING),
    "media_type": str,
    "content_sha256": str,
    "text_sha256": str,
    "layout": str,
    "source_revision": (str, NOTHING),
    "modified_at": (str, NOTHING),
    "fingerprint": str,
    "metadata": dict,
}
SERVED: Mapping[str, Any] = {"reference": str, "version": int, "committed_at": str, "digest": str}
PROVENANCE: Mapping[str, Any] = {
    "source": str,
    "uri": str,
    "title": (str, NOTHING),
    "section": list,
    "start": int,
    "end": int,
    "page": (int, NOTHING),
    "source_revision": (str, NOTHING),
    "modified_at": (str, NOTHING),
    "content_sha256": str,
    "text_sha256": str,
    "version": int,
    "since": int,
    "until": (int, NOTHING),
    "fingerprint": str,
    "embedder": str,
}
SCORES: Mapping[str, Any] = {
    "dense": (float, NOTHING),
    "dense_rank": (int, NOTHING),
    "bm25": (float, NOTHING),
    "bm25_rank": (int, NOTHING),
    "rerank": (float, NOTHING),
}
HIT: Mapping[str, Any] = {
    "rank": int,
    "score": float,
    "scores": SCORES,
    "text": str,
    "chunk_id": str,
    "document_id": str,
    "provenance": PROVENANCE,
    "also": [PROVENANCE],
    "chunks": [str],
}
ANSWER: Mapping[str, Any] = {
    "query": str,
    "request_id": str,
    "mode": str,
    "exact": bool,
    "took_ms": NUMBER,
    "as_of": SERVED,
    "hits": [HIT],
    "timings": dict,
    "coverage": {"complete": bool, "behind": [str]},
}
CHANGE: Mapping[str, Any] = {
    "uri": str,
    "source": str,
    "change": str,
    "before": (dict, NOTHING),
    "after": (dict, NOTHING),
    "text": (str, NOTHING),
}
CHUNK_CHANGE: Mapping[str, Any] = {
    "uri": str,
    "source": str,
    "change": str,
    "chunk_id": str,
    "text_sha256": str,
    "section": list,
    "text": str,
}
RESULT_CHANGE: Mapping[str, Any] = {
    "query": str,
    "uri": str,
    "source": str,
    "chunk_id": str,
    "before": (int, NOTHING),
    "after": (int, NOTHING),
}
QUARANTINED: Mapping[str, Any] = {
    "source": str,
    "uri": str,
    "reason": str,
    "detail": str,
    "content_sha256": (str, NOTHING),
    "first_seen": str,
    "last_seen": str,
}
SOURCE: Mapping[str, Any] = {
    "name": str,
    "kind": str,
    "options": dict,
    "owner": (str, NOTHING),
    "every": (str, NOTHING),
    "cron": (str, NOTHING),
    "created_at": str,
    "access": (list, NOTHING),
    "fresh_within": (str, NOTHING),
    "delete_guard": (float, NOTHING),
    "keep_original": bool,
}
STATUS: Mapping[str, Any] = {
    "home": str,
    "model": str,
    "daemon": (str, NOTHING),
    "head": int,
    "committed_at": str,
    "documents": int,
    "chunks": int,
    "catalog_bytes": int,
    "store_bytes": int,
    "sources": [
        {
            "source": SOURCE,
            "documents": int,
            "quarantine": dict,
            "skipped": dict,
            "last_run": str,
            "last_error": (str, NOTHING),
            "last_published": str,
            "source_revision": (str, NOTHING),
            "changed_at": (str, NOTHING),
            "lag_s": (float, NOTHING),
            "stale": (bool, NOTHING),
            "failures": int,
            "circuit": str,
            "guarded": bool,
            "running_since": (str, NOTHING),
            "next_run": (str, NOTHING),
        }
    ],
}
PLAN: Mapping[str, Any] = {
    "source": str,
    "snapshots": int,
    "added": int,
    "changed": int,
    "removed": int,
    "embed": int,
    "reuse": int,
    "tokens": int,
    "seconds": (float, NOTHING),
    "price": (float, NOTHING),
    "quarantine": int,
    "refusal": (str, NOTHING),
}
FINDING: Mapping[str, Any] = {"what": str, "subject": str, "detail": str}
VERIFICATION: Mapping[str, Any] = {
    "version": int,
    "snapshots": int,
    "expired": int,
    "documents": int,
    "chunks": int,
    "sources": int,
    "quarantined": int,
    "findings": [FINDING],
}
SHOWN: Mapping[str, Any] = {
    "snapshot": SNAPSHOT,
    "documents": [CHANGE],
    "pipeline": dict,
    "tags": list,
    "compared_with": (int, NOTHING),
}
RETENTION: Mapping[str, Any] = {
    "dry_run": bool,
    "kept": [{"version": int, "committed_at": str, "tags": list, "rules": list}],
    "expired": [SNAPSHOT],
    "removed": {"chunks": int, "documents": int, "texts": int, "bytes": int},
}
DIFF: Mapping[str, Any] = {
    "from": int,
    "to": int,
    "documents": [CHANGE],
    "chunks": [CHUNK_CHANGE],
    "results": [RESULT_CHANGE],
}
REPORT: Mapping[str, Any] = {
    "snapshots": [SNAPSHOT],
    "quarantined": [QUARANTINED],
    "refused": [{"source": str, "error": str}],
    "skipped": dict,
    "permitted": int,
}


def check_shape(value: Any, shape: Any, where: str = "$") -> None:
    """Exactly the keys of the shape, each of its type; a list's one shape is that of all its members."""
    if isinstance(shape, Mapping):
        assert isinstance(value, dict), where
        assert list(value) == list(shape), where
        for key, part in shape.items():
            check_shape(value[key], part, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, part in enumerate(value):
            check_shape(part, shape[0], f"{where}[{number}]")
    else:
        assert isinstance(value, shape), where
        assert not isinstance(value, bool) or shape is bool, where
