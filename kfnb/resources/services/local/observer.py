"""A local service, now: its desired state, and what its events add up to."""

from __future__ import annotations

from dataclasses import replace

from kfnb.entities import LabelScore
from kfnb.errors import BackendError, ServiceNotFound
from kfnb.jobs.eventlog import reading
from kfnb.resources.services.local.fold import ServiceFold
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.kind import job
from kfnb.resources.services.local.labels import labels_in, scores_in
from kfnb.resources.services.local.request_files import remove_old_requests
from kfnb.resources.services.model import Revision, ServiceMove, ServiceSnapshot, ServiceState

MOST_MOVES = 50
"""Changes that a snapshot has, the newest."""


class ServiceObserver:
    """One service. Each poll reads only new events."""

    def __init__(self, folder: ServiceFolder) -> None:
        self._folder, self._fold = folder, ServiceFold(folder.name)
        self._settings = folder.settings()
        self._made = folder.made
        self._moves: tuple[ServiceMove, ...] = ()
        self._labels, self._scores = "", dict[int, LabelScore]()
        self._removed = False

    def poll(self) -> ServiceSnapshot:
        """The service now. Raises ``ServiceNotFound`` if it is gone, or another one has its name."""
        if self._made is None or self._made != self._folder.made:
            raise ServiceNotFound(f"service {self._folder.name} is gone", ref=self._folder.name)
        desired = self._folder.desired()
        if not self._folder.started_once:
            error = "the process that drives it was not started; start starts it"
            return replace(self._fold.service(desired), state=ServiceState.STOPPED, error=error)
        self._read()
        if not self._moves or self._moves[0].generation != desired.generation:
            self._moves = self._folder.history(MOST_MOVES)
        settings, now = self._settings, self._fold.service(desired)
        self._remove_old_requests(now)
        return replace(
            now,
            revisions=tuple(self._scored(one) for one in now.revisions),
            history=self._moves,
            owner=settings.owner,
            created=settings.created,
            token_file=str(self._folder.token_file) if settings.protected else "",
            stopping=self._folder.stopping and not now.state.finished,
        )

    def _remove_old_requests(self, now: ServiceSnapshot) -> None:
        """Remove requests that are older than the policy where no process of the service does: whoever looks does."""
        writes = not now.state.finished and any(one.log.keep for one in now.desired.targets)
        if not (writes or self._removed):
            remove_old_requests(self._folder.requests, now.desired.default.log)
        self._removed = not writes

    def _scored(self, revision: Revision) -> Revision:
        """A revision with what labels say of it, which are read when there are further ones."""
        database = labels_in(self._folder.path)
        stamp = database.stamp()
        if stamp != self._labels:
            self._scores, self._labels = scores_in(self._folder.path), stamp
        score = self._scores.get(revision.number)
        return revision if score is None else replace(revision, labels=score)

    def _read(self) -> None:
        with reading(self._folder.path) as log:
            new = log.read(self._fold.seq)
            if (new or not self._fold.finished) and job(self._folder).recover(log):
                new = log.read(self._fold.seq)
            self._fold.take(new)


def outline(folder: ServiceFolder) -> ServiceSnapshot:
    """The service now; FAILED, with the reason, if its files are damaged."""
    try:
        return ServiceObserver(folder).poll()
    except BackendError as error:
        empty = ServiceFold(folder.name).nothing
        return replace(empty, state=ServiceState.FAILED, error=str(error))
