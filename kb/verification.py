"""Verifying all that there is: the versions, the access lists and, where it is asked for, the sources."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kb.answers import Finding, Verification
from kb.catalog import Catalog
from kb.nouns import DocumentVersion
from kb.reference import resolve
from kb.store import Store
from kb.undisturbed import undisturbed
from kb.verify import comparable, verify
from kb.verify_access import verify_access

Compare = Callable[[Sequence[DocumentVersion]], Sequence[Finding]]
"""Reads documents again at their sources."""


def verify_all(catalog: Catalog, store: Store, reference: str | int, compare: Compare | None) -> Verification:
    """What holds up to a version; with `compare` also its documents' agreement with their sources."""
    found = undisturbed(catalog, lambda seen: verify(seen, store, resolve(seen, reference)))
    found = replace(found, findings=(*found.findings, *verify_access(catalog, store)))
    if compare is None:
        return found
    with catalog.reading() as connection:
        compared, left_out = comparable(connection, resolve(connection, found.version))
    findings = (*found.findings, *compare(compared))
    return replace(found, sources=len(compared), quarantined=left_out, findings=findings)
