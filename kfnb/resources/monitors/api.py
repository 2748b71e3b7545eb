"""The public functions of monitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kfnb import clock
from kfnb.errors import UsageError
from kfnb.pipeline.spec import Compiled
from kfnb.resources.components.api import spec_of
from kfnb.resources.datasets.api import dataset
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.monitors.actions.steps import checked
from kfnb.resources.monitors.engine import MonitorEngine, MonitorPlan
from kfnb.resources.monitors.handle import Monitor, MonitorList
from kfnb.resources.monitors.model import (
    RETRAIN,
    Detector,
    MonitorOutline,
    MonitorSpec,
    Rule,
    argument_of,
    kind_of,
)
from kfnb.resources.monitors.names import check_monitor_name
from kfnb.resources.monitors.performance import ADAPTIVE
from kfnb.resources.monitors.preparing import reference_of
from kfnb.resources.monitors.responses import check_steps
from kfnb.resources.monitors.rules import RuleOptions, check_against
from kfnb.resources.services.api import service_of
from kfnb.resources.services.handle import Service
from kfnb.settings import owner, settings
from kfnb.target import backend_name, split_reference
from kfnb.text.timespec import span

if TYPE_CHECKING:
    from kfnb.resources.monitors.local.traces import MonitorTraces

WINDOW, EVERY, COOLDOWN = "1h", "10m", "1d"
_DETECTORS = ("windows", "adwin")

Then = str | Callable[..., Any] | Sequence[str | Callable[..., Any]]


def monitor(  # noqa: PLR0913 - what is watched of a service; they are keywords
    service: str | Service,
    *,
    baseline: str | DatasetVersion,
    drift: float | Mapping[str, float] | None = None,
    metric: str | None = None,
    below: float | str | None = None,
    window: str | None = None,
    every: str | None = None,
    then: Then = (),
    name: str | None = None,
    target: str = "",
    references: int = 1,
    labels: int = 1000,
    detector: str = "windows",
    slices: Sequence[str] = (),
    cooldown: str | None = None,
    budget: int = 2,
    dry_run: bool = False,
    **limits: Any,
) -> Monitor:
    """Watch a service: compare its requests with a baseline, and act when it changes. Returns the monitor's handle.

    ``baseline`` is a version of a data set with the columns that the model takes. ``drift`` limits the population
    stability index of all columns, or of each one by name; ``metric`` (accuracy, precision, recall, mean_error) is
    measured on labels, and limited by ``below`` (0.85, or ``"accuracy=0.85"``). ``limits`` are the other fields of
    ``RuleOptions`` (``latency=200``). Without any, drift is limited. Every ``every`` ("10m") the newest ``window``
    ("1h") is checked; ``then`` are the steps that follow an alarm, in their order: ``"alert"``, ``"retrain:churn"``,
    ``"compare"``, ``"canary:1"``, ``"promote"``, ``"rollback"``, or a function of a module. The other arguments are as
    of ``MonitorSpec``. A monitor of that name is changed. Raises ``UsageError``, ``BackendError``.
    """
    watched, data = service_of(service), dataset(baseline)
    steps, addresses = checked((then,) if isinstance(then, str) or callable(then) else tuple(then))
    rules = _rules(steps, drift=drift, metric=metric, below=below, **limits)
    spec = MonitorSpec(
        check_monitor_name(name or watched.name),
        watched.name,
        data.ref,
        rules,
        watched.backend,
        float(span(window or WINDOW)),
        float(span(every or EVERY)),
        _positive("references", references),
        steps,
        target,
        _positive("labels", labels),
        _detector(detector, rules),
        tuple(slices),
        float(span(cooldown or COOLDOWN)),
        budget,
        dry_run,
        owner(),
        clock.now(),
    )
    engine = engine_of(watched.backend)
    engine.refuse(spec)
    reference = reference_of(spec, watched.snapshot().desired.default)
    check_against(reference, spec.rules)
    engine.create(MonitorPlan(spec, reference, _pipelines(steps), addresses))
    return Monitor(engine, spec.name)


def find_monitor(name: str) -> Monitor:
    """The monitor of that name. Raises ``NotFound``."""
    where, called = split_reference(name)
    engine = engine_of(where)
    return Monitor(engine, engine.get(called).name)


def monitors(*, backend: str | None = None) -> MonitorList:
    """The monitors there are, by name."""
    engine = engine_of(backend)
    return MonitorList(Monitor(engine, one.name) for one in engine.list())


def outlines(backend: str | None = None) -> tuple[MonitorOutline, ...]:
    """The monitors there are, by name, as they are shown beside what they watch. Raises ``BackendError``."""
    return tuple(one.outline for one in engine_of(backend).list())


def records() -> MonitorTraces:
    """The monitors of the home, as the catalog reads them."""
    from kfnb.resources.monitors.local.traces import MonitorTraces

    return MonitorTraces(Path(settings().home))


def engine_of(backend: str | None = None) -> MonitorEngine:
    """The engine of monitors that goes with a backend, by default the one in the settings. Raises ``UsageError``."""
    if backend_name(backend) == "local":
        from kfnb.resources.monitors.local.engine import LocalMonitorEngine

        return LocalMonitorEngine(Path(settings().home))
    from kfnb.resources.monitors.kubeflow.connection import connect

    return connect()


def _pipelines(steps: Sequence[str]) -> dict[str, Compiled]:
    """The pipelines that steps run, compiled now: alarms come when no notebook runs."""
    names = [argument_of(one) for one in steps if kind_of(one) == RETRAIN]
    return {name: spec_of(name) for name in names}


def _rules(steps: Sequence[str], **limits: Any) -> tuple[Rule, ...]:
    """The rules by the names of their limits. Raises ``UsageError``, also for a step that none of them leads to."""
    rules = RuleOptions.of(**limits).rules()
    check_steps(rules, steps)
    return rules


def _positive(option: str, number: int) -> int:
    if number < 1:
        raise UsageError(f"{option}={number}: must be 1 or more")
    return number


def _detector(word: str, rules: Sequence[Rule]) -> Detector:
    if word not in _DETECTORS:
        raise UsageError(f"detector={word}: must be {' or '.join(_DETECTORS)}")
    other = next((one.subject for one in rules if one.kind == "drop" and one.subject != ADAPTIVE), "")
    if word == "adwin" and other:
        raise UsageError(
            f"detector=adwin: it finds a drop of {ADAPTIVE}, not of {other}:", hint="use windows"
        )
    return cast("Detector", word)
