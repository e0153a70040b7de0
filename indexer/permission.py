"""Who may see a document: changes of it reach the rows of all versions at once, and nothing is read or embedded.

An access list is not history. What is to hold is noted first, then the rows are changed, then it counts as applied; a
stop in between is made good by the next writer before it does anything else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from kb.access import EVERYONE, Groups, held
from kb.catalog import Catalog, access, scan
from kb.catalog.access import Change, Permission
from kb.digest import document_id
from kb.nouns import Source
from kb.store import Store


def changed_by_setting(catalog: Catalog, source: Source) -> list[Change]:
    """For the documents of the source, of whatever version, for which its access setting is not yet what holds."""
    with catalog.reading() as connection:
        before = access.of_source(connection, source.name, unsaid=source.access is not None)
    return _changes((one, _permission(one.document_id, one.own, source)) for one in before)


def changed_by_reading(catalog: Catalog, source: Source, lists: Mapping[str, Groups | None]) -> list[Change]:
    """For the documents that were read, by URI with the list that came along, for which something else holds."""
    owns = {document_id(source.name, uri): own for uri, own in lists.items()}
    with catalog.reading() as connection:
        before = access.recorded(connection, owns)
    return _changes((before.get(one, Permission(one)), _permission(one, own, source)) for one, own in owns.items())


def permit(
    catalog: Catalog,
    store: Store,
    changes: Sequence[Change],
    read: tuple[str, Iterable[str]],
    tell: Callable[[str], None],
) -> None:
    """Makes the changes hold, `read` being the source and the URIs that they were read from.

    Each step is told before it is taken.
    """
    tell("intent")
    with catalog.writing() as connection:
        access.intend(connection, changes)
        # After a stop it does not matter what was seen before this: the source may say that again.
        scan.distrust(connection, *read)
    tell("rows")
    _apply(catalog, store, tell)


def resume(catalog: Catalog, store: Callable[[], Store]) -> None:
    """Makes hold what was noted by a writer that did not come to its end."""
    with catalog.reading() as connection:
        waiting = access.unsettled(connection)
    if waiting:
        _apply(catalog, store(), lambda _: None)


def _apply(catalog: Catalog, store: Store, tell: Callable[[str], None]) -> None:
    """Brings whatever is noted to the rows of every space and version."""
    with catalog.reading() as connection:
        waiting = access.unsettled(connection)
    by_groups: dict[Groups, list[str]] = defaultdict(list)
    for one in waiting:
        by_groups[one.groups].append(one.document_id)
    # What is to be for everyone comes last: should it stop midway, nothing is open that need not be.
    for groups, documents in sorted(by_groups.items(), key=lambda pair: pair[0] == EVERYONE):
        store.permit(documents, groups)
    tell("settle")
    with catalog.writing() as connection:
        access.settle(connection, waiting)


def _permission(document: str, own: Groups | None, source: Source) -> Permission:
    """What a source says of a document itself goes before the source's setting."""
    return Permission(document, own, held(source.access if own is None else own))


def _changes(pairs: Iterable[Change]) -> list[Change]:
    return [(before, after) for before, after in pairs if after != before]
