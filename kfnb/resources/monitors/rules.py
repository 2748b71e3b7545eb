"""The rules of a monitor as users ask for them: limits by name, and what stands for each where none is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.monitors.model import Rule, RuleKind
from kfnb.resources.monitors.performance import AMOUNTS, METRICS
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.text.timespec import span

DRIFT, SCORE, DROP, REFUSED = 0.2, 0.2, 0.02, 0.05
"""Limits of the drift of a column or of the predictions, of the weighted score, of the loss of a metric, and of the
share of refused requests.
"""

Limits = float | str | Mapping[str, float] | None
"""A limit for all columns, limits by column, or ``column=0.3`` in words."""


@dataclass(frozen=True)
class RuleOptions:
    """The requested limits; None where there is none. Durations are words (``2d``)."""

    drift: Limits | list[str] = None
    score: float | None = None
    prediction: float | None = None
    skew: Limits | list[str] = None
    metric: str | None = None
    below: float | str | None = None
    above: float | str | None = None
    drop: float | None = None
    estimate: float | str | None = None
    errors: float | None = None
    refused: float | None = None
    latency: float | None = None
    no_traffic: str | None = None
    no_labels: str | None = None
    max_age: str | None = None
    data_age: str | None = None

    @classmethod
    def of(cls, **limits: Any) -> RuleOptions:
        """The options by their names. Raises ``UsageError`` for one that is unknown."""
        known = [one.name for one in fields(cls)]
        for name in limits:
            if name not in known:
                hint = did_you_mean(name, known, f"limits are {', '.join(known)}")
                raise UsageError(f"unknown limit {name}:", code="invalid-argument", hint=hint, ref=name)
        return cls(**limits)

    def rules(self) -> tuple[Rule, ...]:
        """The rules; without any, those of drift: of columns, of predictions and of the weighted score.

        The last one is always there: what is refused for its inputs is otherwise not seen. Raises ``UsageError``.
        """
        found = [
            *_by_column("drift", self.drift),
            *_plain("score", self.score),
            *_plain("prediction", self.prediction),
            *_by_column("skew", self.skew),
            *self._of_metric("below", self.below),
            *self._of_metric("above", self.above),
            *_drop(self.drop, self._metric()),
            *self._estimates(),
            *_share("errors", self.errors),
            *_plain("latency", self.latency),
            *_lasting("traffic", self.no_traffic),
            *_lasting("labels", self.no_labels),
            *_lasting("model-age", self.max_age),
            *_lasting("data-age", self.data_age),
        ]
        if self.metric is not None and not any(
            one.subject == self.metric and one.kind != "estimate" for one in found
        ):
            found.append(Rule("drop", DROP, self._metric()))
        if not found:
            found = [Rule("drift", DRIFT), Rule("score", SCORE), Rule("prediction", DRIFT)]
        return (*found, *_share("refused", REFUSED if self.refused is None else self.refused))

    def _estimates(self) -> Iterable[Rule]:
        for rule in self._of_metric("estimate", self.estimate):
            if rule.subject == AMOUNTS:
                hint = "accuracy, precision and recall of classes are"
                raise UsageError(
                    f"estimate={self.estimate}: {AMOUNTS} is not estimated without labels:", hint=hint
                )
            yield rule

    def _metric(self) -> str:
        return _known_metric(self.metric or "accuracy")

    def _of_metric(self, kind: RuleKind, given: float | str | None) -> Iterable[Rule]:
        """``0.85``, of the metric that is named elsewhere; ``accuracy=0.85``."""
        if given is None:
            return
        name, equals, value = str(given).rpartition("=")
        metric = _known_metric(name.strip()) if equals else self._metric()
        yield from _of(metric, kind, value, f"{kind}={given}")


def check_against(reference: MonitorReference, rules: Iterable[Rule]) -> None:
    """Raise ``UsageError`` for limits of columns that the model does not take, and of metrics that it cannot have."""
    columns = [str(one["name"]) for one in reference.profile["columns"]]
    for rule in rules:
        if rule.kind in ("drift", "skew") and rule.subject and rule.subject not in columns:
            hint = did_you_mean(rule.subject, columns, f"it takes {', '.join(columns[:10])}")
            message = f"{rule.kind} {rule.subject}: {reference.version} takes no column {rule.subject}:"
            raise UsageError(message, code="invalid-argument", hint=hint, ref=rule.subject)
        if rule.kind == "estimate" and reference.uncalibrated:
            message = f"{rule.id}: {reference.uncalibrated}:"
            raise UsageError(
                message, code="invalid-argument", hint="leave the estimate out", ref=rule.subject
            )
        if rule.kind in ("below", "above", "drop") and rule.subject not in reference.usual:
            other = [name for name in reference.usual if (name == AMOUNTS) is not (rule.subject == AMOUNTS)]
            if other:
                what = "classes" if rule.subject == AMOUNTS else "amounts"
                message = f"{rule.kind} {rule.subject}: {reference.version} predicts {what}:"
                hint = f"limit its {', '.join(other)}"
                raise UsageError(message, code="invalid-argument", hint=hint, ref=rule.subject)


def _drop(given: float | None, metric: str) -> Iterable[Rule]:
    return () if given is None else _of(metric, "drop", given, f"drop={given}")


def _of(metric: str, kind: RuleKind, value: Any, option: str) -> Iterable[Rule]:
    """A limit of a metric: of a share, unless it is of amounts."""
    number = _number(value, option)
    if metric != AMOUNTS:
        _check_share(number, option, metric)
    yield Rule(kind, number, metric)


def _share(kind: RuleKind, given: float | None) -> Iterable[Rule]:
    for rule in _plain(kind, given):
        _check_share(rule.limit, f"{kind}={given}", "it")
        yield rule


def _check_share(number: float, option: str, what: str) -> None:
    if number > 1:
        hint = f"{number:g} % is {number / 100:g}" if number <= 100 else ""  # noqa: PLR2004 - percent
        raise UsageError(f"{option}: {what} is a share, from 0 to 1:", code="invalid-argument", hint=hint)


def _by_column(kind: RuleKind, given: Any) -> Iterable[Rule]:
    """A limit for all columns, and limits for some."""
    if given is None:
        return
    if isinstance(given, Mapping):
        pairs = [(str(name), value) for name, value in given.items()]
    else:
        words = given if isinstance(given, list | tuple) else [given]
        pairs = [(name.strip(), value) for name, _, value in (str(one).rpartition("=") for one in words)]
    for name, value in pairs:
        yield Rule(kind, _number(value, f"{kind}={given}"), name)


def _plain(kind: RuleKind, given: float | None, subject: str = "") -> Iterable[Rule]:
    if given is not None:
        yield Rule(kind, _number(given, f"{kind}={given}"), subject)


def _lasting(kind: RuleKind, given: str | None) -> Iterable[Rule]:
    if given is not None:
        yield Rule(kind, float(span(given)))


def _number(value: Any, option: str) -> float:
    """A limit. Raises ``UsageError`` for what is not a number from 0 on."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{option}: {value!r} is not a number") from None
    if not 0 <= number < float("inf"):
        raise UsageError(f"{option}: a limit is a number from 0 on")
    return number


def _known_metric(name: str) -> str:
    if name not in METRICS:
        hint = did_you_mean(name, METRICS, f"metrics are {', '.join(METRICS)}")
        raise UsageError(f"unknown metric {name}:", hint=hint, ref=name)
    return name
