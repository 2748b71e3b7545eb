"""Monitors: what is watched, what was found, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

_OfRows = Literal["drift", "score", "prediction", "skew", "below", "above", "drop", "estimate"]
_OfTraffic = Literal["errors", "refused", "latency", "traffic", "labels"]
RuleKind = Literal[_OfRows, _OfTraffic, "model-age", "data-age"]
"""What a rule limits. See ``rules``."""

Detector = Literal["windows", "adwin"]
"""How a change of a metric is found: windows of labels with a bound, or windows that adapt themselves."""

OF_REQUESTS: tuple[RuleKind, ...] = ("refused", "traffic", "labels")
"""Rules of the requests rather than of the model: another version does not change them, so they are only reported."""

ONLY_WARNING: tuple[RuleKind, ...] = ("estimate",)
"""Rules that are at most a warning: what they say rests on an assumption that may not hold."""


class MonitorState(str, Enum):
    """The state of a monitor, or of one of its rules.

    WARNING: the newest window is beyond a limit. ALARM: two of the last three are. NO_DATA: too little is known.
    """

    OK = "OK"
    NO_DATA = "NO_DATA"
    WARNING = "WARNING"
    ALARM = "ALARM"

    def __str__(self) -> str:
        return self.value

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen: never, as long as there is a monitor."""
        return False


@dataclass(frozen=True)
class Rule:
    """A limit. ``subject`` is a column or a metric, empty for all columns or where there is only one thing to limit."""

    kind: RuleKind
    limit: float
    subject: str = ""

    @property
    def id(self) -> str:
        """``drift``, ``drift tenure``, ``below accuracy``: what it is known by in its monitor."""
        return f"{self.kind} {self.subject}".rstrip()


@dataclass(frozen=True)
class MonitorSpec:
    """What a monitor watches, and how.

    ``baseline`` is the version of a data set that windows are compared with, cut into ``references`` windows
    whose largest distance is not drift. Times are in seconds: the length of a ``window``, ``every`` how often one is
    checked, and the ``cooldown`` after an answer to an alarm until the next one. ``then`` are steps in their order
    (``alert``, ``retrain:churn``). ``target`` is the baseline's column of labels. A metric is measured on the newest
    ``labels`` labels, and separately by each value of the columns ``slices``. ``budget`` is the number of retrainings
    in 24 hours. With ``dry_run``, steps only tell what they would do.
    """

    name: str
    service: str
    baseline: str
    rules: tuple[Rule, ...]
    backend: str = "local"
    window: float = 3600.0
    every: float = 600.0
    references: int = 1
    then: tuple[str, ...] = ()
    target: str = ""
    labels: int = 1000
    detector: Detector = "windows"
    slices: tuple[str, ...] = ()
    cooldown: float = 86400.0
    budget: int = 2
    dry_run: bool = False
    owner: str = ""
    created: float = 0.0


@dataclass(frozen=True)
class Finding:
    """What a window says of a rule. ``exceeded`` is None where too little is known; ``evidence`` says why, in words."""

    rule: str
    exceeded: bool | None
    value: float | None
    limit: float
    evidence: str


@dataclass(frozen=True)
class ColumnDrift:
    """How far a column of a window is from the baseline.

    ``score`` is its population stability index, which ``limit`` is for; ``importance`` the share of the model's
    importance that it has, None where that is unknown. ``nulls`` are the shares of missing values, before and now.
    ``reasons`` are drift by themselves, in words: values that moved though the index is small, new categories.
    """

    name: str
    score: float | None
    limit: float
    importance: float | None = None
    nulls: tuple[float, float] = (0.0, 0.0)
    reasons: tuple[str, ...] = ()

    @property
    def exceeded(self) -> bool | None:
        """Whether it has drifted: by its score, or by a separate reason; None where that is not known."""
        if self.score is None:
            return True if self.reasons else None
        return self.score > self.limit or bool(self.reasons)


@dataclass(frozen=True)
class MetricValue:
    """A metric of labelled rows: its value, and where the true one lies with 99 % confidence.

    ``name`` is accuracy, precision, recall or mean_error, ``slice`` the rows that it is of (``region=north``).
    """

    name: str
    value: float
    low: float
    high: float
    rows: int
    slice: str = ""


@dataclass(frozen=True)
class SkewCause:
    """A likely reason why what is served is not as what the version was made of.

    ``kind`` is one of ``skew.causes``, ``evidence`` what tells of it, in words. ``column`` is empty where it is of the
    whole version; ``part`` says whether it is an ``input``, or a ``feature`` that the transform makes.
    """

    kind: str
    evidence: str
    column: str = ""
    part: str = ""


@dataclass(frozen=True)
class Report:
    """What one window says. Times are in seconds since 1970; ``rows`` are those of the requests between two of them.
    ``baseline`` is the version of a data set that it was compared with: the monitor's, or a later one that the version
    which is served was made of.

    ``score`` is the drift of the columns weighted by how much the model depends on each, at most 1 a column.
    ``prediction`` is the drift of the predictions. ``skew`` compares what is served with the training data of the
    version that serves it, by column, and ``causes`` are likely reasons. ``metrics`` are measured on labels that have
    come; ``estimates`` are of all rows, without labels, and hold as long as labels depend on the rows as they did.
    """

    since: float
    until: float
    rows: int
    requests: int = 0
    version: str = ""
    columns: tuple[ColumnDrift, ...] = ()
    score: float | None = None
    prediction: float | None = None
    skew: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[MetricValue, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    baseline: str = ""
    causes: tuple[SkewCause, ...] = ()
    estimates: tuple[MetricValue, ...] = ()

    @property
    def drift(self) -> dict[str, float]:
        """The population stability index of each column that could be compared: what limits of drift are for."""
        return {one.name: one.score for one in self.columns if one.score is not None}

    @property
    def performance(self) -> dict[str, float]:
        """The metrics of all labelled rows, by name."""
        return {one.name: one.value for one in self.metrics if not one.slice}

    def to_frame(self) -> object:
        """A pandas DataFrame with a row for each column: column, drift, limit, exceeded, importance, nulls."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        names = ["column", "drift", "limit", "exceeded", "importance", "nulls_before", "nulls"]
        rows = [
            (one.name, one.score, one.limit, one.exceeded, one.importance, *one.nulls) for one in self.columns
        ]
        return pd.DataFrame(rows, columns=names)


@dataclass(frozen=True)
class RuleState:
    """The state of a rule, and since when (seconds since 1970), with the newest finding."""

    rule: str
    state: MonitorState
    since: float
    finding: Finding | None = None


@dataclass(frozen=True)
class Alarm:
    """A rule that was beyond its limit in two of three windows, with its evidence. ``until`` is None while it lasts."""

    number: int
    rule: str
    since: float
    evidence: str
    until: float | None = None


ActionState = Literal["held", "waiting", "started", "done", "failed", "skipped", "planned"]
"""``held``: it may not begin yet. ``waiting``: for requests or labels. ``planned``: what a dry run would have done."""

ALERT, CALL, RETRAIN = "alert", "call", "retrain"


def kind_of(text: str) -> str:
    """``retrain`` of ``retrain:churn``."""
    return text.partition(":")[0]


def rule_kind(id: str) -> str:
    """``below`` of ``below accuracy``."""
    return id.partition(" ")[0]


def argument_of(text: str) -> str:
    """``churn`` of ``retrain:churn``; empty where there is none."""
    return text.partition(":")[2]


@dataclass(frozen=True)
class Action:
    """A step that an alarm led to. ``text`` is as it was asked for (``retrain:churn``), ``detail`` what became of it.

    ``run`` is the id of the run that it started, ``version`` the model version that it made or served. ``since`` is
    when it was first tried, ``at`` when last.
    """

    alarm: int
    place: int
    text: str
    state: ActionState
    since: float
    at: float
    detail: str = ""
    run: str = ""
    version: str = ""
    attempt: int = 1

    @property
    def finished(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ("done", "failed", "skipped", "planned")

    @property
    def costly(self) -> bool:
        """Whether it did, or does, more than to tell of the alarm."""
        return kind_of(self.text) != ALERT and self.state not in ("held", "skipped", "planned")


@dataclass(frozen=True)
class MonitorOutline:
    """A monitor as it is shown beside what it watches.

    ``version`` is the one that the newest check compared (``churn@7``), and ``checked`` when that was, in seconds since
    1970; both are empty before the first check. ``alarms`` are those that last, ``error`` why there is no data.
    ``evidence`` is why it is not OK, in words.
    """

    name: str
    service: str
    state: MonitorState
    since: float | None = None
    version: str = ""
    checked: float | None = None
    alarms: tuple[Alarm, ...] = ()
    paused: bool = False
    backend: str = "local"
    error: str = ""
    evidence: str = ""
