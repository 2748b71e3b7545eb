"""The logs of tasks: of finished tasks from the log that KFP stores as an artifact, of running tasks from pods."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from os import SEEK_END
from queue import Empty, SimpleQueue

from kfnb.entities import Artifact, LogLine
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.polling import Pace, Pause
from kfnb.resources.runs.engine import CACHED
from kfnb.resources.runs.kubeflow.log_lines import Sieve
from kfnb.resources.runs.kubeflow.pods import MAIN, Pods
from kfnb.text.timestamps import seconds

_HEARTBEAT = 0.2
_AGAIN = 2.0
"""Seconds until a pod's log is requested again after a refusal or an interruption."""
_END = 3.0
"""Seconds to wait for the rest of a finished pod's log."""
_LAST_LINES, _LAST_BYTES = 1000, 2**18
"""How much of the end of a failed task's log is read."""
_MOST = 20
"""Maximum number of pods that are followed at once."""

Line = tuple[str, "float | None"]
"""What was written, and when."""

_NOWHERE = "neither Kubernetes nor ML Metadata can be reached to find it; set %kf_config context=NAME"


@dataclass(frozen=True)
class LogSource:
    """Where the log of a task is: in a pod (its name), in an artifact, or not available yet; cached tasks have none."""

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
class ObservedSources:
    """The tasks that have begun, in order, at one poll of the run; ``over`` if it is finished."""

    sources: tuple[LogSource, ...]
    over: bool


def read(sources: Iterable[LogSource], pods: Pods | None) -> Iterator[LogLine]:
    """What the tasks wrote until now, task by task. A deleted log is replaced by a line that explains it."""
    for source in sources:
        sieve = Sieve()
        for text, at in whole(source, pods):
            if sieve.passes(text):
                yield LogLine(source.task, text, at)


def whole(source: LogSource, pods: Pods | None) -> Iterator[Line]:
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


def end(source: LogSource, pods: Pods | None, container: str = MAIN) -> list[str]:
    """The last lines of a task's log, including those of KFP, which show how its program ended.

    Only the pod has the log of a ``container`` other than the task's.
    """
    if source.pod and pods is not None:
        with suppress(BackendError):
            return [text for _, text in pods.log(source.pod, container=container, last=_LAST_LINES)]
    if source.log is not None and container == MAIN:
        with suppress(OSError, BackendError), source.log.open("rb") as file:
            file.seek(max(0, file.seek(0, SEEK_END) - _LAST_BYTES))
            return str(file.read().decode("utf-8", "replace")).splitlines()
    return []


def follow(poll: Callable[[], ObservedSources], pods: Pods | None, pace: Pace) -> Iterator[LogLine | None]:
    """What the tasks write, as it arrives, until the run is finished; None means no more lines at the moment.

    ``poll`` is called at ``pace``. While the server does not answer, pods are still followed.
    """
    following, pause, now = _Following(pods), Pause(pace), poll()
    try:
        while True:
            received = False
            for line in chain(following.update(now), following.listen(0 if now.over else pause.seconds)):
                received = received or line is not None
                yield line
            if now.over:
                return
            try:
                now = poll()
                pause.answered(changed=received)
            except BackendUnavailable:
                pause.unanswered()
    finally:
        following.stop()


class _Following:
    """The pods of a run that are followed, and the tasks whose logs are complete."""

    def __init__(self, pods: Pods | None) -> None:
        self._pods = pods
        self._received: SimpleQueue[LogLine] = SimpleQueue()
        self._streams: dict[str, _Stream] = {}
        self._done: set[str] = set()

    def update(self, now: ObservedSources) -> Iterator[LogLine]:
        """Follow the pods that run now; return the rest of the logs of finished tasks."""
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
                yield self._received.get(timeout=min(_HEARTBEAT, left))
            except Empty:
                yield None

    def stop(self) -> None:
        """Stop following."""
        for stream in self._streams.values():
            stream.stopped = True

    def _follow(self, source: LogSource, pods: Pods) -> None:
        stream = self._streams.get(source.task)
        if stream is not None and stream.pod != source.pod:  # another attempt has another pod
            stream.finish()
            stream = None
        alive = sum(one.alive for one in self._streams.values())
        if (stream is None or not stream.alive) and alive < _MOST:
            stream = stream or _Stream(source.task, source.pod, pods, self._received.put)
            self._streams[source.task] = stream
            stream.start()

    def _rest(self, source: LogSource) -> Iterator[LogLine]:
        stream = self._streams.pop(source.task, None)
        if stream is None or not stream.received:
            yield from read([source], self._pods)
            return
        stream.finish()
        while not self._received.empty():
            yield self._received.get()


class _Stream:
    """A pod's log, followed in its own thread."""

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
    def received(self) -> bool:
        """Whether the pod has written anything."""
        return bool(self._last)

    def start(self) -> None:
        """Follow it, from where it was interrupted; not at once after a refusal."""
        if time.monotonic() >= self._not_before:
            self._thread = threading.Thread(target=self._run, args=(True,), daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Read the rest of the log of a finished pod."""
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
                if stamp > left:  # lines of the second of the interruption arrive again
                    self._last = stamp
                    if self._sieve.passes(text):
                        self._put(LogLine(self._task, text, _moment(stamp)))
            self._whole = True
        except BackendError:
            pass  # not available yet, or interrupted
        self._not_before = time.monotonic() + _AGAIN


def _places(source: LogSource, pods: Pods | None) -> Iterator[Iterator[Line]]:
    """The log from each place that may have it, the most durable first."""
    if source.log is not None:
        yield ((text, source.ended) for text in _stored_lines(source.log))
    if source.pod and pods is not None:
        yield ((text, _moment(stamp)) for stamp, text in pods.log(source.pod))


def _moment(stamp: str) -> float:
    """A pod's timestamp in whole seconds."""
    return seconds(stamp[:19]) or 0.0


def _stored_lines(log: Artifact) -> Iterator[str]:
    """The lines of a log that is stored as an artifact."""
    with log.open("rb") as file:
        for line in file:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
