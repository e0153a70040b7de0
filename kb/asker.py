"""Who asks a knowledge base, and what that one may see of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.access import Groups, Keys, keys_of, shared
from kb.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever opens a home is its owner: `groups` is None, and the request log is open, others' requests too."""

    name: str = "local"
    groups: Groups | None = None
    audits: bool = True

    @property
    def keys(self) -> Keys:
        return None if self.groups is None else keys_of(self.groups)

    @property
    def only(self) -> str | None:
        """The caller whose requests alone are open to this one; None: all are."""
        return None if self.audits else self.name

    def as_member(self, groups: Sequence[str] | None, name: str | None, audits: bool) -> "Asker":
        """The same narrowed: never to more than this one sees. Raises UsageError for a blank name of a group."""
        own = self.groups
        if groups is not None:
            named = keys_of(groups)[1:]
            own = named if own is None else shared(own, named)
        return Asker(name or self.name, own, own is None and audits and self.audits)

    def require_all(self, deed: str) -> None:
        """Raises Forbidden for one who may not see everything: what came back would tell of the rest."""
        if self.groups is not None:
            raise Forbidden(f"only one who may see all documents can {deed}: ask with a key of role auditor or admin")
