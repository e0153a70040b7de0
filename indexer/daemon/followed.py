"""The sources that are followed, and what others changed of them since it was last seen."""

from dataclasses import dataclass

from kb.catalog import Catalog, sources
from kb.nouns import Source


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of sources; those that are `changed` were known before."""

    added: frozenset[str]
    changed: frozenset[str]
    removed: frozenset[str]

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Followed:
    """For one thread that refreshes at a time, and any number that read."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[str, Source] = {}

    @property
    def known(self) -> dict[str, Source]:
        return self._known

    def get(self, name: str) -> Source | None:
        return self._known.get(name)

    def require(self, name: str) -> Source:
        """Raises NotFound, naming those there are."""
        found = self._known.get(name)
        if found is None:
            raise sources.unknown(name, sorted(self._known))
        return found

    def refresh(self) -> Changes:
        """Takes up what the catalog holds now."""
        with self._catalog.reading() as connection:
            found = {source.name: source for source in sources.listed(connection)}
        before, self._known = self._known, found
        return Changes(
            added=frozenset(found.keys() - before.keys()),
            changed=frozenset(name for name in found.keys() & before.keys() if found[name] != before[name]),
            removed=frozenset(before.keys() - found.keys()),
        )
