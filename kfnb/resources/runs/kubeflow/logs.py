"""What tasks wrote: of finished ones from the log that KFP keeps as an artifact, of running ones from their pods."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from os import SEEK_END
from queue import Empty, SimpleQueue

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.polling import Pace, Pause
from kfnb.model import Artifact, LogLine
from kfnb.resources.runs.backend import CACHED
from kfnb.resources.runs.kubeflow.log_lines import Sieve
from kfnb.resources.runs.kubeflow.pods import MAIN, Pods

_HEARTBEAT = 0.2
_AGAIN = 2.0
"""Seconds until a pod is asked again for a log that it did not give, or that broke off."""
_END = 3.0
"""Seconds for which the rest of a finished pod's log is waited for."""
_LAST_LINES, _LAST_BYTES = 1000, 2**18
"""How much of a failed task's log is read for its last words."""
_MOST = 20
"""Pods that are followed at once."""

Line = tuple[str, "float | None"]
"""What was written, and when."""

_NOWHERE = "neither Kubernetes nor ML Metadata can be asked where it is; set %kf_config context=NAME"


@dataclass(frozen=True)
class Source:
    """Where the log of a task is: in a pod (its name) or in an artifact, or nowhere yet; nowhere if it was cached."""

    task: str
    pod: str = ""
    log: Artifact | None = None
    finished: bool = False
    cached: bool = False
    ended: float | None = None

    @property
    def place(self) -> str:
        """The address of its log, or the pod that has it; empty if there is none."""
        return self.log.uri if self.log is not None else f"pod {self.pod}" if self.pod else ""


@dataclass(frozen=True)
class Looked:
    """The tasks that have begun, in their order, as of one look at the run; ``over`` if it is finished."""

    sources: tuple[Source, ...]
    over: bool


def read(sources: Iterable[Source], pods: Pods | None) -> Iterator[LogLine]:
    """What the tasks wrote until now, one after the other. Of one whose log is gone, a line says so."""
    for source in sources:
        sieve = Sieve()
        for text, at in whole(source, pods):
            if sieve.keeps(text):
                yield LogLine(source.task, text, at)


def whole(source: Source, pods: Pods | None) -> Iterator[Line]:
    """All lines of a task's log, also those that are not its own. See ``read``."""
    if source.cached:
        yield CACHED, source.ended
        return
    why = []
    for lines in _places(source, pods):
        begun = False
        try:
            for line in lines:
                begun = True
                yield line
        except (OSError, BackendError) as error:
            why.append(str(error))
            if begun:
                yield f"(the rest of the log is missing: {error})", source.ended
        else:
            return
        if begun:
            return
    if not why and pods is None:
        why = [_NOWHERE]
    if why and source.finished:
        yield f"(no log: {'; '.join(why)})", source.ended


def end(source: Source, pods: Pods | None, container: str = MAIN) -> list[str]:
    """The last lines of a task's log, with those that are not its own: a pod's tell how its program ended.

    Of another ``container`` than the task's own, only its pod has them.
    """
    if source.pod and pods is not None:
        with suppress(BackendError):
            return [text for _, text in pods.log(source.pod, container=container, last=_LAST_LINES)]
    if source.log is not None and container == MAIN:
        with suppress(OSError, BackendError), source.log.open("rb") as file:
            file.seek(max(0, file.seek(0, SEEK_END) - _LAST_BYTES))
            return str(file.read().decode("utf-8", "replace")).splitlines()
    return []


def follow(look: Callable[[], Looked], pods: Pods | None, pace: Pace) -> Iterator[LogLine | None]:
    """What the tasks write, as it comes, until the run is finished; None says that there is no more at the moment.

    ``look`` is called as often as ``pace`` says. While the server does not answer, pods are followed all the same.
    """
    following, pause, now = _Following(pods), Pause(pace), look()
    try:
        while True:
            heard = False
            for line in chain(following.look(now), following.listen(0 if now.over else pause.seconds)):
                heard = heard or line is not None
                yield line
            if now.over:
                return
            try:
                now = look()
                pause.answered(changed=heard)
            except BackendUnavailable:
                pause.unanswered()
    finally:
        following.stop()


class _Following:
    """The pods of a run that are followed, and the tasks that are done with."""

    def __init__(self, pods: Pods | None) -> None:
        self._pods = pods
        self._heard: SimpleQueue[LogLine] = SimpleQueue()
        self._streams: dict[str, _Stream] = {}
        self._done: set[str] = set()

    def look(self, now: Looked) -> Iterator[LogLine]:
        """Follow the pods that run now; the rest of what finished tasks wrote."""
        for source in now.sources:
            if source.task in self._done:
                continue
            if source.finished or now.over:
                self._done.add(source.task)
                yield from self._rest(source)
            elif source.pod and self._pods is not None:
                self._follow(source, self._pods)

    def listen(self, seconds: float) -> Iterator[LogLine | None]:
        """What the pods write in the next ``seconds``."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                yield self._heard.get(timeout=min(_HEARTBEAT, left))
            except Empty:
                yield None

    def stop(self) -> None:
        """Follow no more."""
        for stream in self._streams.values():
            stream.stopped = True

    def _follow(self, source: Source, pods: Pods) -> None:
        stream = self._streams.get(source.task)
        if stream is not None and stream.pod != source.pod:  # another attempt has another pod
            stream.finish()
            stream = None
        alive = sum(one.alive for one in self._streams.values())
        if (stream is None or not stream.alive) and alive < _MOST:
            stream = stream or _Stream(source.task, source.pod, pods, self._heard.put)
            self._streams[source.task] = stream
            stream.start()

    def _rest(self, source: Source) -> Iterator[LogLine]:
        stream = self._streams.pop(source.task, None)
        if stream is None or not stream.heard:
            yield from read([source], self._pods)
            return
        stream.finish()
        while not self._heard.empty():
            yield self._heard.get()


class _Stream:
    """A pod's log, followed in a thread of its own."""

    def __init__(self, task: str, pod: str, pods: Pods, put: Callable[[LogLine], None]) -> None:
        self.pod = pod
        self._task, self._pods, self._put = task, pods, put
        self._sieve = Sieve()
        self._last = ""
        self._not_before = 0.0
        self._whole = False
        self._thread = threading.Thread()
        self.stopped = False

    @property
    def alive(self) -> bool:
        """Whether it is being followed."""
        return self._thread.is_alive()

    @property
    def heard(self) -> bool:
        """Whether the pod has written anything."""
        return bool(self._last)

    def start(self) -> None:
        """Follow it, from where it was left; not at once after a refusal."""
        if time.monotonic() >= self._not_before:
            self._thread = threading.Thread(target=self._run, args=(True,), daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Take the rest of a pod that is finished."""
        if self.alive:
            self._thread.join(_END)
        if not self.alive and not self._whole:
            self._run(follow=False)
        self.stopped = True

    def _run(self, follow: bool) -> None:
        self._whole, left = False, self._last
        try:
            for stamp, text in self._pods.log(self.pod, follow=follow, since=left):
                if self.stopped:
                    return
                if stamp > left:  # of the second in which it broke off, some lines come again
                    self._last = stamp
                    if self._sieve.keeps(text):
                        self._put(LogLine(self._task, text, _moment(stamp)))
            self._whole = True
        except BackendError:
            pass  # it is not there yet, or broke off
        self._not_before = time.monotonic() + _AGAIN


def _places(source: Source, pods: Pods | None) -> Iterator[Iterator[Line]]:
    """The log from each of the places where it may be, the one that keeps it longest first."""
    if source.log is not None:
        yield ((text, source.ended) for text in _kept(source.log))
    if source.pod and pods is not None:
        yield ((text, _moment(stamp)) for stamp, text in pods.log(source.pod))


def _moment(stamp: str) -> float:
    """A pod's time (RFC 3339, in UTC) in seconds."""
    return datetime.fromisoformat(f"{stamp[:19]}+00:00").timestamp()


def _kept(log: Artifact) -> Iterator[str]:
    """The lines of a log that is kept as an artifact."""
    with log.open("rb") as file:
        for line in file:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
