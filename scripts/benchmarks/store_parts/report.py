"""Tables in Markdown, with each target beside its figure, and the verdict at the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Prints as it goes, and remembers what missed its target."""

    missed: list[str] = field(default_factory=list)

    def heading(self, title: str) -> None:
        print(f"\n**{title}**", flush=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        print("\n| " + " | ".join(columns) + " |")
        print("|" + "---|" * len(columns))
        for row in rows:
            print("| " + " | ".join(row) + " |", flush=True)

    def note(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def at_most(self, name: str, value: float, limit: float, unit: str = "") -> str:
        """The target as it stands in a table; a value beyond it is remembered."""
        return self._target(name, value, limit, unit, value <= limit, "at most")

    def at_least(self, name: str, value: float, limit: float, unit: str = "") -> str:
        return self._target(name, value, limit, unit, value >= limit, "at least")

    def verdict(self) -> None:
        print("\nmissed: " + "; ".join(self.missed) if self.missed else "\nall targets reached")

    def _target(self, name: str, value: float, limit: float, unit: str, reached: bool, bound: str) -> str:
        unit = unit and f" {unit}"
        if not reached:
            self.missed.append(f"{name} {value:.4g}{unit} ({bound} {limit:g}{unit})")
        return f"{bound} {limit:g}{unit}" + ("" if reached else " (missed)")
