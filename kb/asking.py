"""Who asks, and what was asked: the request log's verbs, what a request gives today, and what was said of it."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from kb.access import Keys
from kb.answers import Answer
from kb.asker import Asker
from kb.catalog import requests
from kb.clock import now
from kb.opened import Opened
from kb.replay import judged, own_request, replay, seen_request
from kb.requests import Feedback, LoggedRequest, Replay


class Asked:
    """The part of a knowledge base that knows for whom it answers."""

    _opened: Opened
    _asker: Asker

    if TYPE_CHECKING:

        def _answer(self, query: str, as_of: str | int, *, filters: Mapping[str, Any], **settings: Any) -> Answer: ...

    def seen_by(self, groups: Sequence[str] | None, *, caller: str | None = None, audits: bool = False) -> Self:
        """The same as members of these groups see it, beside what is for everyone; None: everything.

        Nothing that it answers tells of a hidden document (`kb.sight`). Its searches are logged as the caller's, whose
        requests alone it shows unless the caller audits. It is open as long as this one is. Raises UsageError.
        """
        narrowed = copy(self)
        narrowed._asker = self._asker.as_member(groups, caller, audits)
        return narrowed

    @property
    def _keys(self) -> Keys:
        return self._asker.keys

    def request(self, request_id: str) -> LoggedRequest:
        """A search of the request log, without hits that are hidden now. Raises NotFound for another caller's, too."""
        with self._opened.catalog.reading() as connection:
            return seen_request(connection, request_id, self._asker)

    def replay(self, request_id: str, *, as_of: str | int | None = None) -> Replay:
        """The request asked again, with its asker's eyes: at its own version, or as of another. Raises NotFound."""
        with self._opened.catalog.reading() as connection:
            found = own_request(connection, request_id, self._asker)
        asker = self.seen_by(found.groups)
        return replay(self._opened.catalog, found, as_of, asker._keys, self._asker, asker._answer)

    def feedback(
        self, request_id: str, *, useful: bool, passage: str | None = None, comment: str | None = None
    ) -> Feedback:
        """Notes whether an answer was of use, and which passage was the right one. Raises NotFound or UsageError."""
        given = judged(Feedback(request_id, useful, passage, comment, self._asker.name, now()))
        with self._opened.catalog.writing() as connection:
            own_request(connection, request_id, self._asker)
            requests.say(connection, given)
        return given

    def feedbacks(self) -> Sequence[Feedback]:
        """Oldest first: what this caller said of answers, or to one who audits what all said."""
        with self._opened.catalog.reading() as connection:
            return requests.said(connection, self._asker.only)

    @property
    def unlogged(self) -> int:
        """Searches of this process that could not be written to the request log."""
        return self._opened.journal.lost if self._opened.journal else 0
