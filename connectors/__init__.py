"""Connectors: what changed at a source. They know nothing of chunks, vectors or the store."""
