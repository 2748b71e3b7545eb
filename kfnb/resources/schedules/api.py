"""The public functions of schedules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kfnb import clock
from kfnb.aliases import accepts
from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.pipeline.spec import check_arguments
from kfnb.resources.components.api import folder, spec_of
from kfnb.resources.datasets.api import with_data
from kfnb.resources.provenance.origin import origin_of
from kfnb.resources.runs.api import caution, cluster_engine, engine_of, local_options
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.given_variables import values_of
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.model import Recurrence, ScheduleSnapshot
from kfnb.resources.schedules.staleness import digest_of
from kfnb.resources.uploads import model
from kfnb.resources.uploads.api import compiled_upload
from kfnb.settings import settings
from kfnb.target import backend_name, names_a_cluster, split_reference
from kfnb.text import cron as crons
from kfnb.text.timespec import instant, span
from kfnb.text.timezones import local_zone, zone_of

_MOST_AT_ONCE = 10
"""KFP's maximum of simultaneous runs of a schedule."""


@accepts(tell="notify")
def schedule(  # noqa: PLR0913 - a schedule is a submission and a rhythm; they are keywords
    pipeline: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    cron: str | None = None,
    every: str | None = None,
    start: str | float | datetime | None = None,
    end: str | float | datetime | None = None,
    catch_up: bool = True,
    max_concurrency: int = 1,
    time_zone: str | None = None,
    enabled: bool = True,
    backend: str | None = None,
    name: str | None = None,
    experiment: str | None = None,
    cache: bool = True,
    env: Sequence[str] = (),
    notify: Callable[[str], None] = print,
) -> Schedule:
    """Run a pipeline on a schedule, and return the schedule's handle.

    ``pipeline`` is what ``submit`` takes, or an ``UploadedPipeline``. ``cron`` is ``"0 6 * * *"`` (or six fields, the
    second first), here on the clock of ``time_zone`` (``"Europe/Berlin"``; default: this machine's), on a cluster in
    the cluster's, which is UTC by default; ``every`` is ``"30m"``, ``"1h"``, ``"2d"``. With ``catch_up``, missed runs
    are made up for, here by one run. ``backend``, ``env``, ``notify`` and errors are as of ``submit``.
    """
    engine = _engine(backend or _backend())
    rhythm = _rhythm(cron, every, start, end)
    if not 1 <= max_concurrency <= _MOST_AT_ONCE:
        raise UsageError(f"max_concurrency={max_concurrency}: must be 1 to {_MOST_AT_ONCE}")
    rhythm = replace(
        rhythm,
        catch_up=catch_up,
        max_concurrency=max_concurrency,
        enabled=enabled,
        zone=_zone(time_zone, cron, engine.name),
    )
    stored = pipeline if isinstance(pipeline, model.UploadedPipeline) else None
    compiled = compiled_upload(stored) if stored else spec_of(pipeline)
    checked = check_arguments(compiled.spec, arguments or {})
    submission = Submission(
        spec=with_data(compiled.spec, checked, local=engine.name == "local"),
        platform=compiled.platform,
        arguments=checked,
        name=name or compiled.name,
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        env=values_of(env),
        folder=folder(),
        origin=origin_of(compiled.spec, compiled.name),
        notify=notify,
    )
    caution(engine_of(engine.name), submission)
    # a stored pipeline runs unchanged; without the cache, or with variables, it is sent again
    unchanged = submission.cache and not submission.env
    rhythm = rhythm if stored else replace(rhythm, digest=digest_of(compiled))
    return Schedule(engine, engine.create(submission, rhythm, stored if unchanged else None))


def schedules(*, backend: str | None = None, notify: Callable[[str], None] = print) -> ScheduleList:
    """All schedules of a backend; by default those here, and those of the cluster that the settings name.

    ``notify`` is called with a note if that cluster cannot be asked.
    """
    if backend:
        engine = _engine(backend)
        return ScheduleList((Schedule(engine, one) for one in engine.list()), engine.name, engine.list)
    found = _everywhere(notify)
    return ScheduleList((Schedule(*one) for one in found), "", lambda: [one for _, one in _everywhere()])


def _everywhere(
    notify: Callable[[str], None] = lambda _: None,
) -> list[tuple[ScheduleEngine, ScheduleSnapshot]]:
    """The schedules here, and those of the cluster that the settings name, each with its engine."""
    here = _engine("local")
    found = [(here, one) for one in here.list()]
    try:
        if names_a_cluster():
            there = _engine("kubeflow")
            found += [(there, one) for one in there.list()]
    except BackendError as error:
        notify(f"note: the schedules of the cluster are not listed: {error}")
    return found


def find_schedule(word: str) -> Schedule:
    """The schedule with that id, beginning of an id, or name; ``local:X`` or ``kubeflow:X`` selects a backend."""
    backend, bare = split_reference(word)
    engines = [_engine(backend)] if backend else _engines()
    for engine in engines[:-1]:
        with suppress(NotFound):
            return Schedule(engine, engine.get(bare))
    return Schedule(engines[-1], engines[-1].get(bare))


def _backend() -> str:
    """Where schedules go by the settings."""
    return "kubeflow" if names_a_cluster() else backend_name()


def _engines() -> list[ScheduleEngine]:
    """Those of the places where schedules may be: here, and on the cluster that the settings name."""
    return [_engine(name) for name in ("local", "kubeflow") if name == "local" or names_a_cluster()]


def _engine(name: str) -> ScheduleEngine:
    if backend_name(name) == "kubeflow":
        from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine

        return KubeflowScheduleEngine(cluster_engine("a schedule on a cluster").submitter)
    from kfnb.resources.schedules.local.engine import LocalScheduleEngine

    return LocalScheduleEngine(Path(settings().home), local_options())


def _rhythm(
    cron: str | None,
    every: str | None,
    start: str | float | datetime | None,
    end: str | float | datetime | None,
) -> Recurrence:
    """When runs start. Raises ``UsageError``."""
    if bool(cron) == bool(every):
        raise UsageError('either cron="0 6 * * *" or every="1h" is required')
    now = clock.now()
    begin = None if start is None else instant(start, ahead=True, now=now)
    over = None if end is None else instant(end, ahead=True, now=now)
    if over is not None and over <= max(begin or 0, now):
        raise UsageError(f"end={end}: no run would start before then; choose a later end, or omit it")
    return Recurrence(crons.cron(cron) if cron else "", span(every) if every else 0, begin, over)


def _zone(given: str | None, cron: str | None, backend: str) -> str:
    """The time zone of a cron. Raises ``UsageError``."""
    if given is None:
        return local_zone() if backend == "local" else ""
    if not cron:
        raise UsageError("a time zone is of cron=: intervals are alike in all of them")
    if backend != "local":
        raise UsageError(f"time_zone={given}: a cluster has one time zone for all schedules:", hint="omit it")
    zone_of(given)
    return given
