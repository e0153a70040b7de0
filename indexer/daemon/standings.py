"""How each source stands with the daemon: in memory for itself, in the catalog for whoever asks."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from kb.catalog import Catalog, sources, standings
from kb.catalog.standings import Standing


class Standings:
    """For any number of threads. Reading never waits for a write."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[str, Standing] = {}
        self._began: dict[str, float] = {}
        self._changing = threading.Lock()

    def load(self) -> None:
        """As the last daemon left them, but for what it had under way."""
        with self._changing, self._catalog.writing() as connection:
            for name, value in standings.listed(connection).items():
                self._known[name] = replace(value, running_since=None)
                if value.running_since is not None:
                    standings.put(connection, name, self._known[name])

    def of(self, name: str) -> Standing:
        return self._known.get(name, Standing())

    def is_open(self, name: str) -> bool:
        """Whether the source's circuit is."""
        return self.of(name).opened_at is not None

    def begin(self, name: str, moment: float) -> None:
        """A look begins; `moment` tells it from others."""
        self._began[name] = moment

    def began(self, name: str) -> float | None:
        """When the look under way began; None where there is none."""
        return self._began.get(name)

    def show_running(self, name: str, moment: float, since: datetime) -> None:
        """The look that began then takes long; nothing where it has ended."""
        with self._changing:
            if self._began.get(name) == moment and self.of(name).running_since is None:
                self._keep(name, replace(self.of(name), running_since=since))

    def end(self, name: str, moment: float, after: Standing) -> None:
        """What came of the look that began then; nothing where the source was changed or removed meanwhile."""
        with self._changing:
            if self._began.get(name) != moment:
                return
            del self._began[name]
            if after != self.of(name):
                self._keep(name, after)

    def forget(self, names: Iterable[str]) -> None:
        """Whatever was wrong with the sources counts no more."""
        with self._changing:
            for name in names:
                self._known.pop(name, None)
                self._began.pop(name, None)

    def end_all(self) -> None:
        """Nothing is under way any more."""
        with self._changing:
            for name in list(self._began):
                if self.of(name).running_since is not None:
                    self._keep(name, replace(self.of(name), running_since=None))
            self._began.clear()

    def _keep(self, name: str, value: Standing) -> None:
        self._known[name] = value
        with self._catalog.writing() as connection:
            # One that was removed meanwhile must not pass on its failures to the next of that name.
            if sources.get(connection, name) is not None:
                standings.put(connection, name, value)
