"""The public functions of schedules."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kfnb.aliases import accepts
from kfnb.errors import UsageError
from kfnb.pipeline.spec import Compiled, check_arguments
from kfnb.resources.components.api import folder, spec_of
from kfnb.resources.datasets.api import with_data
from kfnb.resources.runs.api import caution, cluster_engine, values_of
from kfnb.resources.runs.engine import Submission
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.uploads import model
from kfnb.settings import settings
from kfnb.text import cron as crons
from kfnb.text import timespec
from kfnb.text.timespec import instant

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
    enabled: bool = True,
    name: str | None = None,
    experiment: str | None = None,
    cache: bool = True,
    env: Sequence[str] = (),
    notify: Callable[[str], None] = print,
) -> Schedule:
    """Run a pipeline on the cluster on a schedule, and return the schedule's handle.

    ``pipeline`` is what ``submit`` takes, or an ``UploadedPipeline``. ``cron`` is ``"0 6 * * *"`` (or six fields, the
    second first), in the cluster's time zone, which is UTC by default; ``every`` is ``"30m"``, ``"1h"``,
    ``"2d"``. With ``catch_up``, missed runs are made up for. ``env``, ``notify`` and errors
    are as of ``submit``.
    """
    from kfnb.resources.runs.kubeflow.schedules import Recurrence

    cluster = cluster_engine("a schedule")
    if bool(cron) == bool(every):
        raise UsageError('either cron="0 6 * * *" or every="1h" is required')
    if not 1 <= max_concurrency <= _MOST_AT_ONCE:
        raise UsageError(f"max_concurrency={max_concurrency}: must be 1 to {_MOST_AT_ONCE}")
    begin = None if start is None else instant(start, ahead=True)
    over = None if end is None else instant(end, ahead=True)
    if over is not None and over <= max(begin or 0, time.time()):
        raise UsageError(f"end={end}: no run would start before then; choose a later end, or omit it")
    rhythm = Recurrence(
        cron=crons.cron(cron) if cron else "",
        every=timespec.span(every) if every else 0,
        start=begin,
        end=over,
        catch_up=catch_up,
        max_concurrency=max_concurrency,
        enabled=enabled,
    )
    stored = pipeline if isinstance(pipeline, model.UploadedPipeline) else None
    compiled = Compiled(*cluster.pipelines.spec(stored)) if stored else spec_of(pipeline)
    checked = check_arguments(compiled.spec, arguments or {})
    submission = Submission(
        spec=with_data(compiled.spec, checked, local=False),
        platform=compiled.platform,
        arguments=checked,
        name=name or compiled.name,
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        env=values_of(env),
        folder=folder(),
        notify=notify,
    )
    caution(cluster, submission)
    # a stored pipeline runs unchanged; without the cache, or with variables, it is sent again
    unchanged = submission.cache and not submission.env
    made = cluster.schedules.create(submission, rhythm, stored if unchanged else None)
    return Schedule(cluster.schedules, made)


def schedules() -> ScheduleList:
    """All schedules."""
    engine = cluster_engine("a schedule").schedules
    return ScheduleList(Schedule(engine, snapshot) for snapshot in engine.list())


def find_schedule(word: str) -> Schedule:
    """The schedule with that id, beginning of an id, or name."""
    engine = cluster_engine("a schedule").schedules
    return Schedule(engine, engine.get(word))
