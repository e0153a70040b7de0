"""Clients that ask a server without pause, as applications do: hot and rare questions, old versions, filters."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from kb.answers import Answer, Document
from kb.client.remote import settings
from kb.client.remote_async import AsyncRemoteBase
from kb.errors import KBError, Unreachable
from scripts.stresses.parts.paragraphs import paragraphs

HOT: Final = 20
"""Questions that half of the searches ask."""
GONE_S: Final = 0.2
MODES: Final = ("hybrid", "hybrid", "hybrid", "dense", "bm25")
FILTERS: Final[Sequence[Mapping[str, Any]]] = (
    {"source": "open"},
    {"uri": "*1*.md"},
    {"source": ["open"], "media_type": "text/*"},
    {"section": "Document*"},
    {"modified_after": "2020-01-01"},
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller asked, what it was told, and how long that took."""

    caller: str
    asked: Mapping[str, Any]
    answer: Answer | Document
    took_ms: float


@dataclass
class Heard:
    """All that one crowd was told. `errors` are those that no client may see."""

    replies: list[Reply] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    again: int = 0
    """Times that a client waited to ask once more."""
    gone: int = 0
    """Times that nobody answered."""

    async def pause(self, seconds: float) -> None:
        self.again += 1
        await asyncio.sleep(seconds)


def crowd(url: str, tokens: Mapping[str, str], clients: int, seconds: float, may_go: bool) -> Heard:
    """Asks for so long; with `may_go`, the server may be away for a while."""
    heard, names, until = Heard(), sorted(tokens), time.time() + seconds
    # Three of four see everything.
    callers = [names[place // 4 % len(names)] if place % 4 == 0 else "auditor" for place in range(clients)]

    async def all_of_them() -> None:
        asking = (
            _Client(url, caller, tokens[caller], heard, random.Random(place), may_go).ask(until)
            for place, caller in enumerate(callers)
        )
        await asyncio.gather(*asking)

    asyncio.run(all_of_them())
    return heard


class _Client:
    def __init__(self, url: str, caller: str, token: str, heard: Heard, chance: random.Random, may_go: bool) -> None:
        self._http = httpx.AsyncClient(**settings(url, token, 60))
        self._base = AsyncRemoteBase(self._http, pause=heard.pause)
        self._caller = caller
        self._heard = heard
        self._chance = chance
        self._may_go = may_go
        self._newest = 0
        self._place: tuple[str, int] | None = None
        """A document that was found, and where."""

    async def ask(self, until: float) -> None:
        async with self._base:
            while time.time() < until:
                try:
                    await self._once()
                except Unreachable as error:
                    self._heard.gone += 1
                    if not self._may_go:
                        self._heard.errors[str(error)[:200]] += 1
                    await asyncio.sleep(GONE_S)
                except KBError as error:
                    self._heard.errors[f"{type(error).__name__}: {str(error)[:200]}"] += 1

    async def _once(self) -> None:
        began = time.perf_counter()
        answer: Answer | Document
        if self._place is not None and self._chance.random() < 0.1:
            asked: dict[str, Any] = {"document": self._place[0], "as_of": self._place[1]}
            answer = await self._base.document(**asked)
        else:
            asked = self._question()
            answer = await self._base.search(**asked)
        took_ms = (time.perf_counter() - began) * 1000
        self._heard.replies.append(Reply(self._caller, asked, answer, took_ms))
        if isinstance(answer, Answer):
            self._learn(asked, answer)

    def _question(self) -> dict[str, Any]:
        chance, texts = self._chance, paragraphs()
        hot = chance.random() < 0.5
        words = texts[chance.randrange(HOT) * 7 if hot else chance.randrange(len(texts))].split()
        start = 0 if hot else chance.randrange(len(words))
        asked: dict[str, Any] = {"query": " ".join(words[start : start + 6])}
        if self._newest and chance.random() < 0.3:
            asked["as_of"] = chance.randint(max(1, self._newest - 30), self._newest)
        if chance.random() < 0.2:
            asked["filters"] = chance.choice(FILTERS)
        if chance.random() < 0.05:
            asked["exact"] = True
        return {**asked, "mode": chance.choice(MODES), "k": chance.choice((3, 10, 10, 30))}

    def _learn(self, asked: Mapping[str, Any], answer: Answer) -> None:
        version = answer.as_of.version
        if "as_of" not in asked:
            if version < self._newest:
                self._heard.errors[f"the head went back from {self._newest} to {version}"] += 1
            self._newest = version
        if answer.hits:
            found = self._chance.choice(answer.hits).provenance
            self._place = f"{found.source}:{found.uri}", version
