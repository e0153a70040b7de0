"""What the tests of access lists share: callers of several groups, and what each of them finds."""

from collections.abc import Mapping

from workbench import Workbench

import kb
from kb.answers import Finding

TEXT = "# Refunds\n\nCustomers have thirty days."
GROUPS: Mapping[str, list[str] | None] = {
    "owner": None,
    "nobody": [],
    "staff": ["staff"],
    "both": ["x", "legal", "staff"],
}


def seen(bench: Workbench, version: int | str = "head") -> dict[str, list[str]]:
    """The URIs that each of the callers finds, both paths the same."""
    found = {}
    with kb.open(bench.home.path) as base:
        for caller, groups in GROUPS.items():
            hits = [
                base.search("customers", as_of=version, k=100, exact=exact, groups=groups) for exact in (False, True)
            ]
            uris = [sorted({hit.provenance.uri for hit in answer}) for answer in hits]
            assert uris[0] == uris[1]
            found[caller] = uris[0]
    return found


def clean(bench: Workbench) -> tuple[Finding, ...]:
    with kb.open(bench.home.path) as base:
        return base.verify().findings
