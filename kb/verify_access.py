"""Access lists, proved: every row holds the list that is in force for its document."""

from collections.abc import Iterator

from kb.access import EVERYONE, Groups
from kb.answers import Finding
from kb.catalog import Catalog, access, snapshots
from kb.pipeline import Pipeline
from kb.store import Store


def verify_access(catalog: Catalog, store: Store) -> Iterator[Finding]:
    """Leaves out documents whose list changes while the rows are read: they may rightly be seen before or after."""
    before = _in_force(catalog)
    wrong = {row[0]: row for row in _different(catalog, store, before)}
    after = _in_force(catalog)
    for document, subject, groups in wrong.values():
        expected = before.get(document, EVERYONE)
        if expected is not None and expected == after.get(document, EVERYONE):
            shown = ", ".join(groups).strip() or "everyone"
            yield Finding("changed access", subject, f"its rows let {shown} see it, which is not what is in force")


def _in_force(catalog: Catalog) -> dict[str, Groups | None]:
    """By document; None where a change has not reached the rows yet."""
    with catalog.reading() as connection:
        return access.in_force(connection)


def _different(catalog: Catalog, store: Store, expected: dict[str, Groups | None]) -> Iterator[tuple[str, str, Groups]]:
    """Document, its name, and the list of a row that holds another than is expected."""
    with catalog.reading() as connection:
        pipelines = [Pipeline.of(parts) for parts in snapshots.pipelines(connection)]
    spaces = {one.space: one for one in pipelines if store.holds(one.space)}
    for space, pipeline in spaces.items():
        table = store.chunks(space, pipeline.dimensions)
        for batch in table.scan("true", ["document_id", "source", "uri", "access"]):
            for row in batch.to_pylist():
                groups = tuple(row["access"])
                if groups != expected.get(row["document_id"], EVERYONE):
                    yield row["document_id"], f"{row['source']}:{row['uri']}", groups
