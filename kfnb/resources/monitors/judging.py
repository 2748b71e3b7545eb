"""What a window says of each rule: the value, whether it is beyond the limit, and why, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kfnb.entities.proportions import Proportion
from kfnb.resources.monitors.model import ColumnDrift, Finding, MetricValue, Rule, RuleKind, SkewCause
from kfnb.resources.monitors.performance import ADAPTIVE, AMOUNTS, CONFIDENCE, LEAST
from kfnb.resources.monitors.refused import refusal
from kfnb.ui.words import digits, duration

LEAST_ROWS = 200
"""Rows of a window below which its distributions say nothing."""
_NAMED = 3
"""Columns that the evidence names."""


@dataclass(frozen=True)
class WindowFacts:
    """What is known of a window. Times are in seconds since 1970, None where nothing has come or it is unknown.

    ``usual`` are the metrics that are expected of the version that is served, ``changed`` the metric before and after
    a change that ADWIN has found, ``watched`` since when there is a monitor. ``score_limit`` and ``prediction_limit``
    are what is usual without drift. ``refused`` are requests whose inputs were bad, ``problems`` what was wrong.
    ``unweighted`` is why the importances are unknown, ``causes`` are likely ones of skew.
    ``estimates`` are metrics without labels, ``uncalibrated`` is why there are none.
    """

    now: float
    watched: float
    rows: int = 0
    requests: int = 0
    failed: int = 0
    p99_ms: float | None = None
    columns: tuple[ColumnDrift, ...] = ()
    score: float | None = None
    score_limit: float = 0.0
    prediction: float | None = None
    prediction_limit: float = 0.0
    skew: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[MetricValue, ...] = ()
    usual: Mapping[str, float] = field(default_factory=dict)
    changed: tuple[float, float] | None = None
    adaptive: bool = False
    last_request: float | None = None
    last_label: float | None = None
    trained: float | None = None
    data: float | None = None
    refused: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)
    unweighted: str = ""
    causes: tuple[SkewCause, ...] = ()
    estimates: tuple[MetricValue, ...] = ()
    uncalibrated: str = ""

    def metric(self, name: str) -> MetricValue | None:
        """A metric of all labelled rows, if enough of them are known."""
        found = next((one for one in self.metrics if one.name == name and not one.slice), None)
        return found if found is not None and found.rows >= LEAST else None


def judge(rule: Rule, facts: WindowFacts) -> Finding:
    """What the window says of a rule."""
    return _JUDGES[rule.kind](rule, facts)


def _drift(rule: Rule, facts: WindowFacts) -> Finding:
    """Of all columns, each by its limit, or of one. A column of times has no score, but its values may be missing."""
    some = [one for one in facts.columns if rule.subject in ("", one.name) and one.exceeded is not None]
    if not some:
        return _unknown(rule, _too_few(facts))
    beyond = [one for one in some if one.exceeded]
    worst = sorted(beyond or some, key=lambda one: one.limit - (one.score or 0.0))[:_NAMED]
    named = ", ".join(map(_column, worst))
    return Finding(rule.id, bool(beyond), worst[0].score, worst[0].limit, f"drift of {named}")


def _column(one: ColumnDrift) -> str:
    """A column with its drift, in words."""
    figures = [] if one.score is None else [f"{digits(one.score, 2)}, limit {digits(one.limit, 2)}"]
    return f"{one.name} ({'; '.join([*figures, *one.reasons])})"


def _skew(rule: Rule, facts: WindowFacts) -> Finding:
    """By the distance of a column; or a replay that gives other features, which chance does not explain."""
    causes = [one for one in facts.causes if rule.subject in ("", one.column)]
    replayed = next((one for one in causes if one.kind == "transform"), None)
    some = {name: value for name, value in facts.skew.items() if rule.subject in ("", name)}
    name = max(some, key=some.__getitem__, default="")
    if replayed is not None and some.get(name, 0.0) <= rule.limit:
        evidence = f"{replayed.column}: {replayed.evidence}"
        return Finding(rule.id, exceeded=True, value=some.get(name), limit=rule.limit, evidence=evidence)
    if not some:
        return _unknown(rule, "the training data of the version that is served is not known, or too few rows")
    evidence = f"{name} is {digits(some[name], 2)} from the version's own training data"
    likely = "; ".join(f"{one.kind}: {one.evidence}" for one in causes if one.column == name)
    return Finding(
        rule.id,
        some[name] > rule.limit,
        some[name],
        rule.limit,
        f"{evidence}; likely cause: {likely}" if likely else evidence,
    )


def _score(rule: Rule, facts: WindowFacts) -> Finding:
    if facts.score is None:
        missing = any(one.importance is not None for one in facts.columns)
        why = (
            _too_few(facts)
            if missing or not facts.columns
            else facts.unweighted or "importances are not known"
        )
        return _unknown(rule, why)
    limit = max(rule.limit, facts.score_limit)
    evidence = f"drift weighted by importance is {digits(facts.score, 2)}"
    return Finding(rule.id, facts.score > limit, facts.score, limit, evidence)


def _prediction(rule: Rule, facts: WindowFacts) -> Finding:
    if facts.prediction is None:
        return _unknown(rule, _too_few(facts))
    limit = max(rule.limit, facts.prediction_limit)
    evidence = f"drift of the predictions is {digits(facts.prediction, 2)}"
    return Finding(rule.id, facts.prediction > limit, facts.prediction, limit, evidence)


def _below(rule: Rule, facts: WindowFacts) -> Finding:
    found = facts.metric(rule.subject)
    if found is None:
        return _unknown(rule, _no_metric(rule, facts))
    return Finding(rule.id, found.high < rule.limit, found.value, rule.limit, _words(found))


def _above(rule: Rule, facts: WindowFacts) -> Finding:
    found = facts.metric(rule.subject)
    if found is None:
        return _unknown(rule, _no_metric(rule, facts))
    return Finding(rule.id, found.low > rule.limit, found.value, rule.limit, _words(found))


def _drop(rule: Rule, facts: WindowFacts) -> Finding:
    """Against what is usual; an error is relative, since its scale is the data's."""
    found, usual = facts.metric(rule.subject), facts.usual.get(rule.subject)
    if found is None:
        return _unknown(rule, _no_metric(rule, facts))
    if facts.adaptive:
        return _changed(rule, facts, found)
    if usual is None:
        return _unknown(rule, f"the usual {rule.subject} of the version is not known")
    if rule.subject == AMOUNTS:
        limit = usual * (1 + rule.limit)
        return Finding(rule.id, found.low > limit, found.value, limit, _words(found))
    limit = usual - rule.limit
    return Finding(
        rule.id, found.high < limit, found.value, limit, f"{_words(found)}; usual is {digits(usual, 3)}"
    )


def _changed(rule: Rule, facts: WindowFacts, found: MetricValue) -> Finding:
    if rule.subject != ADAPTIVE:
        return _unknown(rule, f"adwin finds changes of {ADAPTIVE}, not of {rule.subject}")
    if facts.changed is None:
        evidence = f"no change found; {_words(found)}"
        return Finding(rule.id, exceeded=False, value=found.value, limit=found.value, evidence=evidence)
    before, after = facts.changed
    evidence = f"{rule.subject} changed from {digits(before, 3)} to {digits(after, 3)}"
    return Finding(rule.id, after < before, after, before, evidence)


def _estimate(rule: Rule, facts: WindowFacts) -> Finding:
    found = next((one for one in facts.estimates if one.name == rule.subject), None)
    if found is None or found.rows < LEAST_ROWS:
        return _unknown(rule, facts.uncalibrated or _too_few(facts))
    evidence = f"estimate, assumes no concept drift: {_words(found, 'rows')}"
    return Finding(rule.id, found.high < rule.limit, found.value, rule.limit, evidence)


def _errors(rule: Rule, facts: WindowFacts) -> Finding:
    """Few requests may be beyond the limit, but not within it."""
    found = Proportion(facts.failed, facts.requests)
    exceeded = _surely_beyond(found, rule)
    if not exceeded and facts.requests < LEAST_ROWS:
        return _unknown(rule, f"{facts.requests:,} requests of {LEAST_ROWS}")
    evidence = f"{facts.failed:,} of {facts.requests:,} requests failed"
    return Finding(rule.id, exceeded, found.rate, rule.limit, evidence)


def _refused(rule: Rule, facts: WindowFacts) -> Finding:
    """Judged of any number of requests, as each monitor has this rule: a window without any is within the limit."""
    found = Proportion(facts.refused, facts.requests)
    evidence = refusal(facts.refused, facts.requests, facts.problems)
    return Finding(rule.id, _surely_beyond(found, rule), found.rate, rule.limit, evidence)


def _surely_beyond(found: Proportion, rule: Rule) -> bool:
    return found.interval_at(CONFIDENCE)[0] > rule.limit


def _latency(rule: Rule, facts: WindowFacts) -> Finding:
    if facts.requests < LEAST_ROWS or facts.p99_ms is None:
        return _unknown(rule, f"{facts.requests:,} requests of {LEAST_ROWS}")
    return _over(rule, facts.p99_ms, f"99 % of the requests took at most {digits(facts.p99_ms, 3)} ms")


def _since(
    what: str, when: Callable[[WindowFacts], float | None], *, waits: bool
) -> Callable[[Rule, WindowFacts], Finding]:
    """How long ago something was; where it never was, since the monitor ``waits`` for it."""

    def judge_age(rule: Rule, facts: WindowFacts) -> Finding:
        at = when(facts)
        if at is None and not waits:
            return _unknown(rule, f"when {what} is not known")
        age = facts.now - (facts.watched if at is None else at)
        ago = "never since the monitor began" if at is None else f"{duration(max(0.0, age))} ago"
        return _over(rule, age, f"{what}: {ago}")

    return judge_age


def _over(rule: Rule, value: float, evidence: str) -> Finding:
    return Finding(rule.id, value > rule.limit, value, rule.limit, evidence)


def _unknown(rule: Rule, why: str) -> Finding:
    return Finding(rule.id, None, None, rule.limit, why)


def _too_few(facts: WindowFacts) -> str:
    return f"{facts.rows:,} rows of {LEAST_ROWS}" if facts.rows < LEAST_ROWS else "nothing can be compared"


def _no_metric(rule: Rule, facts: WindowFacts) -> str:
    """Too few labels; or enough, of which the metric cannot be, or few that count for it (precision, recall)."""
    known = {one.name: one.rows for one in facts.metrics if not one.slice}
    rows = max(known.values(), default=0)
    if rows < LEAST:
        return f"{rows:,} labels of {LEAST}"
    if rule.subject in known:
        return f"{known[rule.subject]:,} labels of {LEAST} count for {rule.subject}"
    return f"{rows:,} labels have no {rule.subject}, but {', '.join(known)}"


def _words(found: MetricValue, rows: str = "labels") -> str:
    bounds = f"{digits(found.low, 3)} to {digits(found.high, 3)} with 99 % confidence"
    return f"{found.name} {digits(found.value, 3)} of {found.rows:,} {rows}, {bounds}"


_JUDGES: Mapping[RuleKind, Callable[[Rule, WindowFacts], Finding]] = {
    "drift": _drift,
    "score": _score,
    "prediction": _prediction,
    "skew": _skew,
    "below": _below,
    "above": _above,
    "drop": _drop,
    "estimate": _estimate,
    "errors": _errors,
    "refused": _refused,
    "latency": _latency,
    "traffic": _since("the last request", lambda facts: facts.last_request, waits=True),
    "labels": _since("the last label", lambda facts: facts.last_label, waits=True),
    "model-age": _since("the model was trained", lambda facts: facts.trained, waits=False),
    "data-age": _since("its data was added", lambda facts: facts.data, waits=False),
}


def judge_all(rules: Sequence[Rule], facts: WindowFacts) -> tuple[Finding, ...]:
    """What the window says of each rule."""
    return tuple(judge(one, facts) for one in rules)
