"""The command that makes a monitor."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.monitors import api
from kfnb.resources.monitors.handle import Monitor
from kfnb.resources.monitors.performance import METRICS
from kfnb.resources.monitors.rules import RuleOptions
from kfnb.resources.services.handle import Service


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """The limits of a monitor."""

    drift: tuple[str, ...] = repeated(
        metavar="LIMIT", help="limit of the drift (PSI) of all columns: 0.2; or of one: tenure=0.3"
    )
    score: float | None = option(
        type=float, metavar="LIMIT", help="limit of the drift of all columns weighted by importance: 0.2"
    )
    prediction: float | None = option(
        type=float, metavar="LIMIT", help="limit of the drift of the predictions: 0.2"
    )
    skew: tuple[str, ...] = repeated(
        metavar="LIMIT", help="limit of the distance from the version's own training data: 0.2, or tenure=0.3"
    )
    metric: str | None = option(
        values=METRICS, metavar="NAME", help=f"the metric that is measured on labels: {', '.join(METRICS)}"
    )
    below: str | None = option(metavar="LIMIT", help="alarm below: 0.85 of --metric, or accuracy=0.85")
    above: str | None = option(metavar="LIMIT", help="alarm above: 2.5 of --metric, or mean_error=2.5")
    drop: float | None = option(
        type=float, metavar="LIMIT", help="alarm if --metric loses this much of what is usual: 0.02"
    )
    estimate: str | None = option(
        metavar="LIMIT",
        help="warn if a metric that is estimated without labels is below: 0.85 of --metric, or recall=0.7",
    )
    errors: float | None = option(
        type=float, metavar="SHARE", help="alarm above this share of failed requests"
    )
    refused: float | None = option(
        type=float, metavar="SHARE", help="alarm above this share of requests with bad inputs (default 0.05)"
    )
    latency: float | None = option(
        type=float, metavar="MS", help="alarm if more than one request in 100 takes longer"
    )
    no_traffic: str | None = option(metavar="TIME", help="alarm after no request for so long: 1h")
    no_labels: str | None = option(metavar="TIME", help="alarm after no label for so long: 2d")
    max_age: str | None = option(metavar="TIME", help="alarm if the version is older: 30d")
    data_age: str | None = option(metavar="TIME", help="alarm if the baseline is older: 30d")

    @property
    def limits(self) -> dict[str, Any]:
        """The limits that were given, by name."""
        given = {one.name: getattr(self, one.name) for one in fields(LimitOptions)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value not in (None, ())
        }


@dataclass(frozen=True, kw_only=True)
class MonitorService(LimitOptions, Command):
    """Watch a service: compare its requests with a baseline, and act when it changes. Without limits, the drift is
    limited.
    """

    binds = True
    json = "print the monitor as JSON"

    service: str = word("the service's name", values="service")
    baseline: str = option(
        metavar="REF",
        values="data version",
        required=True,
        help="the version of a data set that it is compared with",
    )
    window: str = option(
        metavar="TIME",
        default=api.WINDOW,
        help=f"the time before a check that it considers (default {api.WINDOW})",
    )
    every: str = option(
        metavar="TIME", default=api.EVERY, help=f"time between two checks (default {api.EVERY})"
    )
    then: tuple[str, ...] = repeated(
        metavar="STEP",
        values="monitor step",
        help="a step that follows an alarm: alert, alert:URL, alert:COMMAND, retrain:PIPELINE, compare, "
        "canary:PERCENT, promote, promote:REQUESTS, rollback, call:MODULE:FUNCTION",
    )
    name: str | None = option(help="the monitor's name (default: that of the service)")
    target: str = option(
        default="", metavar="COLUMN", help="the baseline's column of labels (default: the one that is left)"
    )
    references: int = option(
        type=int,
        default=1,
        metavar="N",
        help="cut the baseline into N windows, whose own distances are not drift",
    )
    labels: int = option(
        type=int, default=1000, metavar="N", help="labels that a metric is of, the newest (default 1000)"
    )
    detector: str = option(
        default="windows",
        values=("windows", "adwin"),
        help="how a drop is found: windows of labels, or adwin",
    )
    slice: tuple[str, ...] = repeated(
        metavar="COLUMN", help="also measure the metric for each value of a column"
    )
    cooldown: str = option(
        metavar="TIME",
        default=api.COOLDOWN,
        help=f"time between two answers to alarms (default {api.COOLDOWN})",
    )
    budget: int = option(type=int, default=2, metavar="N", help="retrainings in 24 hours (default 2)")
    dry_run: bool = flag(help="only tell what steps would do")

    def check(self, parser: Parser) -> None:
        """Refuse limits that are none."""
        del parser
        RuleOptions.of(**self.limits).rules()

    def run(self, session: Session) -> Monitor:
        """Make it."""
        made = api.monitor(
            resolved(session.names, self.service, Service),
            baseline=resolved(session.names, self.baseline, DatasetVersion),
            window=self.window,
            every=self.every,
            then=self.then,
            **self.limits,
            name=self.name,
            target=self.target,
            references=self.references,
            labels=self.labels,
            detector=self.detector,
            slices=self.slice,
            cooldown=self.cooldown,
            budget=self.budget,
            dry_run=self.dry_run,
        )
        session.started(made)
        return made
