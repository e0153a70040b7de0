"""A commit under way: its intent, and the embeddings made for it so far."""

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, insert, select

from kb.batches import batches
from kb.catalog.batches import batched_in
from kb.catalog.catalog import Connection
from kb.catalog.schema import intent, pending_vector


def intend(connection: Connection, version: int) -> None:
    connection.execute(delete(intent))
    connection.execute(insert(intent).values(version=version))


def intended(connection: Connection) -> int | None:
    """The version whose commit was begun and not ended, if any."""
    return connection.scalar(select(intent.c.version))


def settle(connection: Connection) -> None:
    connection.execute(delete(intent))


def keep_vectors(connection: Connection, space: str, vectors: Mapping[str, bytes]) -> None:
    """Those that are not kept yet: two sources that are read side by side may hold the same text."""
    found = select(pending_vector.c.text_sha256).where(pending_vector.c.space == space)
    kept = {row["text_sha256"] for row in batched_in(connection, found, pending_vector.c.text_sha256, vectors)}
    new = {text: vector for text, vector in vectors.items() if text not in kept}
    rows = [{"space": space, "text_sha256": text, "vector": vector} for text, vector in new.items()]
    if rows:
        connection.execute(insert(pending_vector), rows)


def vectors(connection: Connection, space: str, texts: Iterable[str]) -> dict[str, bytes]:
    """Kept embeddings of those of the texts that have one, by the texts' SHA-256."""
    query = select(pending_vector).where(pending_vector.c.space == space)
    return {
        row["text_sha256"]: row["vector"] for row in batched_in(connection, query, pending_vector.c.text_sha256, texts)
    }


def drop_vectors(connection: Connection, space: str, texts: Iterable[str]) -> None:
    for batch in batches(texts):
        key = (pending_vector.c.space == space, pending_vector.c.text_sha256.in_(batch))
        connection.execute(delete(pending_vector).where(*key))


def drop_all_vectors(connection: Connection) -> None:
    connection.execute(delete(pending_vector))
