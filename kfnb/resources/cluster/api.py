"""The public functions that say where one is: in which cluster, as whom, with what, and what is broken."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from kfnb import disk, target
from kfnb.entities import RunSnapshot
from kfnb.errors import BackendError, KfnbError
from kfnb.remote.kubernetes import kubeconfig
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.cluster.checks.clients import clients, token
from kfnb.resources.cluster.checks.hairpin import hairpin
from kfnb.resources.cluster.checks.images_and_volumes import pulls, storage
from kfnb.resources.cluster.checks.machine import here
from kfnb.resources.cluster.checks.model_registry import registry
from kfnb.resources.cluster.checks.network import network
from kfnb.resources.cluster.checks.stores import stores
from kfnb.resources.cluster.model import Check, CheckOutcome, Knowledge, Machine, Problem, Status, StatusItem
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.cluster.problems import of_monitors
from kfnb.resources.cluster.status import gather, gather_again
from kfnb.resources.monitors.model import MonitorOutline
from kfnb.resources.monitors.watching import MonitorQuestion
from kfnb.resources.runs import api
from kfnb.settings import settings

_QUICK_RETRY = RetryPolicy(tries=2, pause=0.2, longest=1.0, connect=3.0, read=10.0)
"""A status that is waited for long is of no use."""
_RUNS = 5
_RUNS_WITHIN = 5.0
_EVERY = 12.0
"""Seconds between refreshes of the changing parts: seven requests each, so less than one a second."""
_ALL_ANEW = 10
"""Every tenth refresh reads everything."""


def status() -> Status:
    """Where this is and what there is: backend, cluster, namespace, user, quota, notebooks, runs, and what is broken.

    What may not be seen is marked as hidden, and nothing is raised for it. Without a cluster it tells of this machine.
    """
    return _with_others(_StatusReader().snapshot())


def _with_others(status: Status) -> Status:
    """The status with the problems of this machine, and those that monitors have found."""
    broken = [
        Problem(one.message, fix=one.fix) for one in here(status.here) if one.outcome is CheckOutcome.BAD
    ]
    alarms = of_monitors(status.monitors.value or ())
    return replace(status, troubles=(*broken, *alarms, *status.troubles))


def following() -> Iterator[Status]:
    """The status again and again, about five times a minute, until it is no longer asked for."""
    reader = _StatusReader()
    found = reader.snapshot()
    yield _with_others(found)
    for number in count(1):
        time.sleep(_EVERY)
        moves = number % _ALL_ANEW and found.user.known
        found = reader.refreshed(found) if moves else reader.snapshot()
        yield _with_others(found)


def examine() -> tuple[Check, ...]:
    """All that can be checked: this machine, the clients, the way to the cluster, and what the status finds there.

    What cannot be checked is skipped, and what may not be seen is not a fault.
    """
    reader = _StatusReader()
    status = reader.snapshot()
    return (
        *here(status.here),
        *stores(),
        *reader.checks(status),
        _cluster(status),
        *(Check("found broken", CheckOutcome.BAD, _sentence(one), one.fix) for one in status.troubles),
        _pipelines(status),
    )


def _sentence(trouble: Problem) -> str:
    return f"{trouble.what}: {trouble.why}" if trouble.why else trouble.what


def _cluster(status: Status) -> Check:
    if not status.server:
        return Check("cluster", CheckOutcome.SKIPPED, "no cluster is configured", "%kf_config context=NAME")
    if status.user.value is None:
        return Check("cluster", CheckOutcome.BAD, status.user.reason)
    return Check("cluster", CheckOutcome.GOOD, f"{status.server} knows you as {status.user.value.name}")


def _pipelines(status: Status) -> Check:
    outcome = CheckOutcome.GOOD if status.runs.known else CheckOutcome.BAD
    return Check("runs", outcome, f"runs go to {status.backend}" if status.runs.known else status.runs.reason)


class _StatusReader:
    """Where one stands, as the settings and the surroundings say."""

    def __init__(self) -> None:
        from kfnb.remote import environment

        chosen, around = settings(), environment.read()
        self._context = chosen.context
        self._token = Path(chosen.token_file).expanduser() if chosen.token_file else around.token_file
        self._trouble: Problem | None = None
        self._place: ProbeTarget | None = None
        try:
            kubernetes, namespace = target.kubernetes(_QUICK_RETRY), target.namespace()
        except BackendError as error:
            self._trouble = Problem(str(error), fix="%kf_config context=NAME")
        else:
            pod = socket.gethostname() if around.in_cluster else ""
            self._place = (
                ProbeTarget(kubernetes, namespace, pod, chosen.installed, self._has_token())
                if kubernetes is not None
                else None
            )

    def snapshot(self) -> Status:
        """All there is."""
        runs, monitors = _Runs(), MonitorQuestion()
        start = Status(_backend(), machine(), context=self._context, as_of=time.time())
        if self._place is None:
            found = self._alone(start)
        else:
            found = gather(self._place, replace(start, server=self._server(), within=self._place.namespace))
        return replace(found, runs=runs.found(), monitors=_monitors(monitors))

    def refreshed(self, status: Status) -> Status:
        """What moves, in a status from before."""
        runs, monitors = _Runs(), MonitorQuestion()
        found = replace(status, here=machine())
        found = found if self._place is None else gather_again(self._place, found)
        return replace(found, runs=runs.found(), monitors=_monitors(monitors))

    def checks(self, status: Status) -> Iterator[Check]:
        """The clients and the way to the cluster, where there is one."""
        if self._place is not None:
            yield from network(self._place.kubernetes)
            yield from clients(status)
            yield registry(self._place.kubernetes, self._place.installed)
            yield token(self._token)
            yield pulls(status)
            yield storage(self._place.kubernetes, status)
            namespaces = (self._place.installed, self._place.namespace)
            yield hairpin(self._place.kubernetes, namespaces, self._context)

    def _has_token(self) -> bool:
        return self._token is not None and self._token.is_file()

    def _server(self) -> str:
        try:
            return self._place.kubernetes.host if self._place is not None else ""
        except BackendError:
            return self._context

    def _alone(self, start: Status) -> Status:
        troubles = (self._trouble,) if self._trouble is not None else ()
        nothing: StatusItem[tuple[()]] = StatusItem(Knowledge.ABSENT, reason="there is no cluster")
        absent = {name: nothing for name, part in vars(start).items() if isinstance(part, StatusItem)}
        return replace(start, contexts=kubeconfig.contexts(), troubles=troubles, **absent)  # type: ignore[arg-type]


def _backend() -> str:
    try:
        return api.engine_of(None).name
    except BackendError:
        return "kubeflow"


class _Runs:
    """The newest runs, asked for while other things are: a server that is slow is not waited for."""

    def __init__(self) -> None:
        self._part: StatusItem[tuple[RunSnapshot, ...]] = StatusItem(
            reason=f"no answer within {_RUNS_WITHIN:g} s"
        )
        self._thread = threading.Thread(target=self._request, name="kfnb-runs", daemon=True)
        self._thread.start()

    def found(self) -> StatusItem[tuple[RunSnapshot, ...]]:
        """What has been found within a few seconds."""
        self._thread.join(_RUNS_WITHIN)
        return self._part

    def _request(self) -> None:
        try:
            self._part = StatusItem(Knowledge.KNOWN, tuple(api.runs(limit=_RUNS)))
        except KfnbError as error:
            self._part = StatusItem(Knowledge.UNKNOWN, reason=str(error))


def _monitors(question: MonitorQuestion) -> StatusItem[tuple[MonitorOutline, ...]]:
    """The monitors, as far as they were found within a few seconds."""
    found = question.answer()
    if found.unknown:
        return StatusItem(reason=found.unknown)
    return StatusItem(Knowledge.KNOWN, found.monitors)


def machine() -> Machine:
    """This machine, as far as a process may use it."""
    home = Path(settings().home)
    memory = _memory()
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=memory.get("MemTotal", 0),
        memory_free=memory.get("MemAvailable", 0),
        home=str(home),
        disk_free=disk.free(home),
        python=".".join(map(str, sys.version_info[:3])),
    )


def _memory() -> dict[str, int]:
    """What Linux says of memory, in bytes; the limit of a container where that is less."""
    found: dict[str, int] = {}
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            found[name] = int(value.split()[0]) * 1024
    with suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        found["MemTotal"] = min(found.get("MemTotal", limit), limit)
        found["MemAvailable"] = min(found.get("MemAvailable", limit), max(0, limit - used))
    return found


__all__ = ["examine", "following", "machine", "status"]
