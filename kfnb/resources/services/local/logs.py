"""What the revisions of a local service write."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kfnb.entities import LogLine
from kfnb.errors import UsageError
from kfnb.resources.runs.local.logs import Tail
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.kind import job

_POLL = 0.2


def read_logs(folder: ServiceFolder, revision: int | None, *, follow: bool) -> Iterator[LogLine]:
    """The lines that revisions wrote, one after the other; with ``follow``, further ones as they come.

    Without ``revision``, those of all desired revisions. Raises ``UsageError`` if there is no such revision.
    """
    tails: dict[int, Tail] = {}
    refs: dict[int, str] = {}
    while True:
        running = follow and not job(folder).finished()
        desired = folder.desired()
        for target in (*desired.targets, *desired.earlier):
            if revision in (None, target.revision):
                refs[target.revision] = target.ref
        if revision is not None and revision not in refs:
            raise UsageError(f"service {folder.name} has no revision {revision}", ref=str(revision))
        for number, ref in refs.items():
            tail = tails.setdefault(number, Tail(folder.log(number)))
            if tail.file.exists() and tail.file.stat().st_size < tail.offset:  # it has grown too large
                tail.offset = 0
            yield from (LogLine(ref, text) for text in tail.lines(rest=not running))
        if not running:
            return
        time.sleep(_POLL)
