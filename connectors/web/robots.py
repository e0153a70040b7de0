"""What each site's robots.txt allows, by RFC 9309: where there is none, all; where it cannot be read, nothing."""

from collections.abc import Callable

from protego import Protego

from connectors.web.urls import joined, origin, shown
from connectors.web.wire import AGENT, Answer
from kb.errors import DocumentUnavailable

_REDIRECTS = 5
_LONGEST_DELAY_S = 60.0


class Robots:
    """Asks each site once. Every call raises DocumentUnavailable where its robots.txt cannot be read."""

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        self._rules: dict[str, Protego] = {}

    def allows(self, url: str) -> bool:
        return bool(self._of(url).can_fetch(url, AGENT))

    def delay_s(self, url: str) -> float:
        """How long to wait between two requests."""
        delay_s = float(self._of(url).crawl_delay(AGENT) or 0.0)
        if delay_s > _LONGEST_DELAY_S:
            raise DocumentUnavailable(
                f"{origin(url)}/robots.txt asks for {delay_s:g} s between requests, "
                f"more than the {_LONGEST_DELAY_S:g} that a poll can wait; ask the site's owner"
            )
        return delay_s

    def _of(self, url: str) -> Protego:
        site = origin(url)
        if site not in self._rules:
            self._rules[site] = Protego.parse(self._text(f"{site}/robots.txt"))
        return self._rules[site]

    def _text(self, url: str) -> str:
        at: str | None = url
        for _ in range(_REDIRECTS + 1):
            if at is None:
                break
            answer = self._ask(at)
            if answer.status == 200:
                return answer.body.decode("utf-8", errors="replace")
            if answer.status in (301, 302, 303, 307, 308):
                at = joined(at, answer.headers.get("location", ""))
            elif 400 <= answer.status < 500 and answer.status != 429:
                return ""
            else:
                raise DocumentUnavailable(f"{shown(at)} answers {answer.status}, so it is not known what may be read")
        raise DocumentUnavailable(f"{shown(url)} is redirected without end, so it is not known what may be read")
