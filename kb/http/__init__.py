"""The retrieval service over HTTP, under `/v1`, as its OpenAPI document describes it. The one door to FastAPI."""
