"""Naming versions, and taking names back."""

from kb.catalog import Catalog, names
from kb.clock import now
from kb.errors import NotFound, UsageError
from kb.reference import check_tag, resolve


def tag(catalog: Catalog, name: str, reference: str | int) -> int:
    """Names a version and returns it. Raises UsageError for a name that is taken or would hide another."""
    check_tag(name)
    with catalog.writing() as connection:
        taken = names.tagged(connection, name)
        version = resolve(connection, reference)
        if taken is not None and taken != version:
            raise UsageError(f"tag {name!r} already names version {taken}: delete it first with `kb tag --delete`")
        if taken is None:
            names.set_tag(connection, name, version, now())
        return version


def delete_tag(catalog: Catalog, name: str) -> None:
    """Raises NotFound."""
    with catalog.writing() as connection:
        if not names.delete_tag(connection, name):
            raise NotFound(f"there is no tag {name!r}: `kb tag --list` shows them")
