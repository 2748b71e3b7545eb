"""The engine of services on this machine."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.entities import LogLine
from kfnb.errors import BackendError, ServiceFailed, ServiceNotFound, UsageError
from kfnb.extras import require
from kfnb.jobs.folder import absolute, check
from kfnb.jobs.handle import JobHandle, open_home
from kfnb.jobs.polling import Pace
from kfnb.resources.services.engine import ServiceAddress, ServiceSpec
from kfnb.resources.services.feedback import labels_by_request
from kfnb.resources.services.local import folder as folders
from kfnb.resources.services.local.deployment import clear, deploy
from kfnb.resources.services.local.folder import ServiceFolder, ServiceSettings
from kfnb.resources.services.local.kind import job
from kfnb.resources.services.local.labelled_requests import newest_labelled, requests_of
from kfnb.resources.services.local.labels import add_labels
from kfnb.resources.services.local.listener import listening
from kfnb.resources.services.local.logs import read_logs
from kfnb.resources.services.local.observer import ServiceObserver, outline
from kfnb.resources.services.local.request_files import Answered, answered
from kfnb.resources.services.model import DesiredState, ServiceSnapshot, ServiceState
from kfnb.resources.services.moves import conflict
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.requests import LabelledRow, RequestWindow
from kfnb.server.headers import REQUEST_ID
from kfnb.server.request_log import WRITTEN_WITHIN

_STOPS_WITHIN = 45.0
"""Seconds that a service may take to finish the requests under way."""
_POLL = 0.05


class LocalServiceEngine:
    """Services here. ``home`` holds them beside runs; packages are installed from ``index_urls``."""

    name = "local"
    pace = Pace(0.2, 1.0)

    def __init__(self, home: Path, *, index_urls: tuple[str, ...] = ()) -> None:
        self._home = absolute(Path(home), "home")
        self._index_urls = index_urls
        self._known: dict[str, ServiceObserver] = {}
        self._lock = threading.Lock()

    def create(self, spec: ServiceSpec) -> None:
        """Make a service, and return at once."""
        with suppress(ServiceNotFound):
            raise folders.taken(folders.find(self._home, spec.name))
        require("httptools", "serving a model")
        open_home(self._home)
        listening(spec.host, spec.port).close()
        settings = ServiceSettings(
            spec.owner, spec.host, spec.port, bool(spec.token), self._index_urls, time.time()
        )
        with folders.new(self._home, spec.name, settings, spec.token) as made:
            for target in spec.desired.targets:
                deploy(made, target)
            made.record(spec.desired)
        self._start(folders.find(self._home, spec.name))

    def change(self, name: str, desired: DesiredState) -> None:
        """Change the desired state. Raises ``Conflict`` if another user was faster."""
        folder = folders.find(self._home, name)
        check(folder.path)
        if folder.generation() >= desired.generation:
            raise conflict(name, folder.desired(desired.generation).move)
        for target in desired.targets:
            deploy(folder, target)
        try:
            folder.record(desired)
        except FileExistsError:
            raise conflict(name, folder.desired(desired.generation).move) from None
        clear(folder, desired)

    def get(self, name: str) -> ServiceSnapshot:
        """The service, now."""
        with self._lock:
            observer = self._known.pop(name, None) or self._observer(name)
            try:
                now = observer.poll()
            except ServiceNotFound:  # of one that was known: another has its name now
                observer = self._observer(name)
                now = observer.poll()
            self._known[name] = observer
            return now

    def _observer(self, name: str) -> ServiceObserver:
        return ServiceObserver(folders.find(self._home, name))

    def list(self) -> builtins.list[ServiceSnapshot]:
        """The services there are, by name. One whose files are damaged is FAILED, and says so."""
        return [outline(one) for one in folders.existing(self._home)]

    def find(self, name: str) -> str:
        """The name of an existing service."""
        return folders.find(self._home, name).name

    def stop(self, name: str) -> None:
        """Answer no more requests, after those under way."""
        job(folders.find(self._home, name)).stop()

    def start(self, name: str) -> None:
        """Serve the desired state again; harmless when it runs. One that is being stopped ends first."""
        folder = folders.find(self._home, name)
        check(folder.path)
        if not folder.started_once:
            self._start(folder)
            return
        if folder.stopping and not _ended(job(folder)):
            raise ServiceFailed(f"service {name} still finishes the requests under way; try again", ref=name)
        if job(folder).finished():
            for target in folder.desired().targets:
                deploy(folder, target)
            job(folder).start([("state", "", {"state": "PENDING"})])

    def _start(self, folder: ServiceFolder) -> None:
        job(folder).start([("created", "", {"created": time.time()})], create=True)

    def delete(self, name: str) -> None:
        """Stop a service, and remove its folder."""
        handle = job(folders.find(self._home, name))
        with suppress(BackendError):  # damaged events: it may still be removed
            handle.stop()
        _ended(handle)
        handle.delete()
        self._known.pop(name, None)

    def logs(self, name: str, revision: int | None = None, *, follow: bool = False) -> Iterator[LogLine]:
        """The lines that revisions wrote."""
        return read_logs(folders.find(self._home, name), revision, follow=follow)

    def address(self, name: str, version: str = "", verb: str = "predict") -> ServiceAddress:
        """Where requests go: to the router, which reads from a header which version has to answer."""
        del version, verb
        folder, now = folders.find(self._home, name), self.get(name)
        if now.state.finished or not now.url:
            raise _not_answering(now)
        token = folder.token()
        return ServiceAddress(now.url, {"authorization": f"Bearer {token}"} if token else {})

    def requests(self, name: str, window: RequestWindow) -> Iterator[Any]:
        """The requests that were kept in a window."""
        self.get(name)  # which removes old ones where no process of the service does
        return requests_of(folders.find(self._home, name), window)

    def labelled(
        self, name: str, revision: int, most: int, *, inputs: bool = False
    ) -> builtins.list[LabelledRow]:
        """The newest labelled rows of a revision."""
        return newest_labelled(folders.find(self._home, name), revision, most, inputs=inputs)

    def feedback(self, name: str, ids: Sequence[str], labels: Sequence[Any], by: str) -> FeedbackReceipt:
        """Keep labels for requests that were answered."""
        folder = folders.find(self._home, name)
        check(folder.path)
        found = self._answered(folder, ids)
        if not found:
            hint = f"the ids are those of ask() and of the header {REQUEST_ID}; {self._why_unknown(name)}"
            raise UsageError(f"service {name} remembers none of these requests:", hint=hint, ref=name)
        rows = {one: len(next(iter(answers.values()))) for one, answers in found.items()}
        receipt = add_labels(folder.path, labels_by_request(ids, labels, rows), found, by)
        return replace(receipt, unknown=tuple(one for one in ids if one not in found))

    def _why_unknown(self, name: str) -> str:
        """Why the requests of a service may not be known."""
        now = self.get(name)
        if not any(one.log.keep for one in now.desired.targets):
            return "it is served with --no-log"
        errors = [one.log_error for one in now.revisions if one.log_error]
        return f"requests are not kept: {errors[0]}" if errors else "older ones may be removed"

    def _answered(self, folder: ServiceFolder, ids: Sequence[str]) -> dict[str, Answered]:
        """What was answered to requests; of those that are just being written, a moment later."""
        until = time.monotonic() + 2 * WRITTEN_WITHIN
        while True:
            found = answered(folder.requests, ids)
            if len(found) == len(ids) or time.monotonic() > until:
                return found
            time.sleep(_POLL)


def _not_answering(now: ServiceSnapshot) -> ServiceFailed:
    """The error of who asks a service that does not answer. One that is FAILED would fail again if it were started."""
    hints = {
        ServiceState.STOPPED: f"%kf_services start {now.name} starts it",
        ServiceState.FAILED: f"%kf_logs {now.name} shows what it wrote; serve another version",
    }
    why = f": {now.error}" if now.error else ""
    hint = hints.get(now.state, "wait until it is ready")
    return ServiceFailed(f"service {now.name} is {now.state}{why}", hint=hint, ref=now.name)


def _ended(handle: JobHandle[ServiceFolder]) -> bool:
    """Wait until a service that is being stopped has ended; whether it has."""
    until = time.monotonic() + _STOPS_WITHIN
    while not handle.finished():
        if time.monotonic() > until:
            return False
        time.sleep(_POLL)
    return True
