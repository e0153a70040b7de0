"""What the writing commands stand on: the writer of the home that is named, and the daemon that follows it, if any."""

from typing import TYPE_CHECKING, Any, Final

from kb.cli.frame import Invocation
from kb.daemon import find
from kb.home import locate, open_home

if TYPE_CHECKING:
    from indexer.daemon.handover import Handover
    from indexer.writer import Writer

PARTIAL: Final = 6
"""Exit code of a sync that was done in part."""


def writer_of(invocation: Invocation, observe: Any = None) -> "Writer":
    from indexer.progress import unobserved
    from indexer.writer import Writer

    return Writer(open_home(locate(invocation.home)), observe or unobserved)


def daemon_of(invocation: Invocation) -> "Handover | None":
    """The daemon that holds the home's lock; None where none runs."""
    endpoint = find(open_home(locate(invocation.home)))
    if endpoint is None:
        return None
    from indexer.daemon.handover import Handover

    return Handover(endpoint)
