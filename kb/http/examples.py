"""What the OpenAPI document shows of requests and answers."""

from typing import Any, Final

SEARCHES: Final[dict[str, Any]] = {
    "newest": {"summary": "As things are", "value": {"query": "refund period", "k": 5}},
    "past": {
        "summary": "As things were on a day, in one source",
        "value": {"query": "refund period", "as_of": "2024-05-01", "filters": {"source": "handbook"}},
    },
    "exact": {"summary": "Without approximation", "value": {"query": "refund period", "mode": "dense", "exact": True}},
}

VECTOR_SEARCHES: Final[dict[str, Any]] = {
    "plain": {"summary": "A query", "value": {"query": "refund period", "max_num_results": 5}},
    "filtered": {
        "summary": "Where two attributes have these values",
        "value": {
            "query": ["refund period", "returns"],
            "filters": {
                "type": "and",
                "filters": [
                    {"type": "eq", "key": "media_type", "value": "text/markdown"},
                    {"type": "gte", "key": "modified_at", "value": "2024-01-01"},
                ],
            },
        },
    },
}

_HIT: Final[dict[str, Any]] = {
    "rank": 1,
    "score": 0.91,
    "scores": {"dense": 0.71, "dense_rank": 2, "bm25": 11.2, "bm25_rank": 1},
    "text": "Customers may return goods within 30 days.",
    "chunk_id": "6f0c2d1b9a4e8877",
    "document_id": "0d9ad1c5b7f04e21",
    "provenance": {
        "source": "handbook",
        "uri": "refunds.md",
        "title": "Refunds",
        "section": ["Refunds", "Period"],
        "start": 21,
        "end": 63,
        "page": None,
        "source_revision": "3f2a91c0",
        "modified_at": "2024-04-12T08:00:00.000000Z",
        "content_sha256": "9b74c9897bac770ffc029102a200c5de",
        "text_sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e",
        "version": 42,
        "since": 17,
        "until": None,
        "fingerprint": "51c2f9d0",
        "embedder": "all-MiniLM-L6-v2",
    },
}

ANSWER: Final[dict[str, Any]] = {
    "content": {
        "application/json": {
            "example": {
                "query": "refund period",
                "request_id": "5f2b6c1d9e7a4f0b8c3d2e1f0a9b8c7d",
                "mode": "hybrid",
                "exact": False,
                "took_ms": 12.3,
                "as_of": {
                    "reference": "2024-05-01",
                    "version": 42,
                    "committed_at": "2024-04-30T17:12:09.000000Z",
                    "digest": "a94a8fe5ccb19ba61c4c0873d391e987",
                },
                "hits": [_HIT],
            }
        }
    }
}
