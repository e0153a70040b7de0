"""The kind `push`: documents that are sent to it, kept durably here until the next sync takes them in.

    kb source add inbox push
    kb push inbox notes/a.md notes/b.md --key upload-17
    curl … | kb push inbox - --uri https://example.org/status
    kb push inbox --delete notes/a.md

Options: none but `spool`, the name of the source's own spool, which `kb source add` makes up. The spool is a directory
beneath the home's `workspace/push`, on a disk of this machine (SQLite's write-ahead log does not work over a network);
it is data, not a cache. It goes when the source is removed, and a source added again under the old name begins empty:
what stayed in the index counts as deleted then, and the delete guard asks first.

What is pushed is on the disk before the reply, whole or not at all, several changes as one. Any number of processes may
push while a sync reads. A repeated idempotency key gets the first reply again and changes nothing; with other content
it is refused. Keys are remembered for 24 hours, the newest 100,000 of them. Times of modification do not count: a file
that was merely touched is the same content.

A change is another content, media type, metadata or access list; a deletion is what was deleted by name. Each change
has a number: the receipt tells it, and the source's revision (`kb status`) has reached it once it is indexed.
Unavailable is a spool that was lost or cannot be read: never taken for an empty one.
"""

from connectors.push.connector import PushConnector, PushOptions
from connectors.push.spool import Spool

__all__ = ["PushConnector", "PushOptions", "Spool"]
