"""Events, states and fields that a newer kfnb may have written are left out and counted, whatever they are."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kfnb.entities import RunState
from kfnb.jobs.fold import Event, JobFold
from kfnb.resources.runs.events import RunFold
from kfnb.resources.studies.local.fold import StudyFold
from kfnb.resources.studies.model import TrialState
from tests.registry.kettles.local.fold import KettleFold

Fact = tuple[str, str, Mapping[str, Any]]

ARTIFACT = {"$artifact": {"name": "table", "type": "system.Dataset", "uri": "/t", "metadata": {}}}
RUN: list[Fact] = [
    ("created", "", {"name": "n", "pipeline": "p", "backend": "local", "arguments": {"a": 1}}),
    ("note", "", {"text": "it is so"}),
    ("state", "", {"state": "RUNNING"}),
    ("task", "load", {"name": "load", "needs": [], "takes": {}}),
    ("inputs", "load", {"values": {"a": 1}}),
    ("state", "load", {"state": "RUNNING"}),
    ("doing", "load", {"text": "building"}),
    ("outputs", "load", {"values": {"table": ARTIFACT}, "metrics": {}}),
    ("state", "load", {"state": "FAILED", "error": {"message": "no", "traceback": "", "place": ""}}),
    ("state", "", {"state": "FAILED", "error": "load failed"}),
]
DIMENSION = {"name": "x", "kind": "float", "low": 0, "high": 1, "step": 0, "log": False, "choices": []}
STUDY: list[Fact] = [
    ("created", "", {"objective": {"metric": "loss", "further": []}, "space": [DIMENSION], "max_trials": 2}),
    ("state", "", {"state": "RUNNING"}),
    ("began", "0", {"params": {"x": 0.5}, "started": 1.0}),
    ("report", "0", {"step": 1, "value": 0.5}),
    ("ended", "0", {"state": "SUCCEEDED", "value": 0.25, "finished": 2.0}),
    ("began", "1", {"params": {"x": 0.7}, "started": 1.0}),
    ("ended", "1", {"state": "FAILED", "error": {"message": "no"}, "finished": 2.0}),
    ("limits", "", {"max_trials": 3}),
    ("state", "", {"state": "SUCCEEDED", "reason": "goal reached"}),
]
KETTLE: list[Fact] = [
    ("created", "", {"goal": 90.0, "created": 1.0}),
    ("note", "", {"text": "it is so"}),
    ("state", "", {"state": "RUNNING"}),
    ("heat", "", {"degrees": 55.0}),
    ("state", "", {"state": "FAILED", "error": "no"}),
]
JOBS: dict[str, tuple[Callable[[], JobFold], Callable[[Any], Any], list[Fact]]] = {
    "run": (lambda: RunFold("r"), lambda fold: fold.run, RUN),
    "study": (lambda: StudyFold("s"), lambda fold: fold.study, STUDY),
    "kettle": (lambda: KettleFold("k"), lambda fold: fold.kettle, KETTLE),
}
KNOWN = {*RunFold.FIELDS, *StudyFold.FIELDS, *KettleFold.FIELDS}

words = some.text(some.characters(codec="utf-8"), min_size=1, max_size=12)
values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | words,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
data = some.dictionaries(words, values, max_size=3)
unknown_kinds = some.tuples(
    words.filter(lambda kind: kind not in KNOWN), some.sampled_from(["", "load", "0", "?"]), data
)
states = {*map(str, RunState), *map(str, TrialState)}
unknown_states = some.tuples(
    some.just("state"),
    some.just(""),
    some.fixed_dictionaries(
        {"state": values.filter(lambda one: not isinstance(one, str) or one not in states)}
    ),
)
places = some.integers(0, 9)
jobs = pytest.mark.parametrize("job", JOBS)


def folded(job: str, facts: list[Fact]) -> tuple[JobFold, Any]:
    make, view, _ = JOBS[job]
    fold = make()
    fold.take(Event(at, float(at), *json.loads(json.dumps(fact))) for at, fact in enumerate(facts, start=1))
    return fold, view(fold)


def timeless(job: Any) -> Any:
    """A job without what depends on how many events there were before, and without its notes."""
    plain = replace(job, notes=(), created=None, started=None, finished=None)
    if hasattr(job, "pipeline"):
        tasks = [replace(one, started=None, finished=None, began=()) for one in job.tasks]
        return replace(plain, tasks=tuple(tasks))
    return plain


def test_what_this_version_writes_is_understood_whole():
    for job in JOBS:
        assert folded(job, JOBS[job][2])[0].skipped == 0


@jobs
@given(strange=some.lists(some.tuples(places, unknown_kinds | unknown_states), min_size=1, max_size=6))
def test_events_and_states_of_a_newer_kfnb_change_nothing_and_are_counted(job, strange):
    facts = list(JOBS[job][2])
    for at, fact in strange:
        facts.insert(min(at, len(facts) - 1), fact)
    fold, seen = folded(job, facts)
    assert timeless(seen) == timeless(folded(job, JOBS[job][2])[1])
    assert fold.skipped == len(strange)
    assert f"{len(strange)} event" in seen.notes[-1]
    assert seen.notes[-1].endswith("skipped; update kfnb to see everything")


@jobs
@given(at=places, field=words, value=values)
def test_fields_of_a_newer_kfnb_change_nothing_and_are_counted(job, at, field, value):
    facts = list(JOBS[job][2])
    kind, task, told = facts[min(at, len(facts) - 1)]
    if field in JOBS[job][0]().FIELDS[kind]:
        return
    facts[min(at, len(facts) - 1)] = kind, task, {**told, field: value}
    fold, seen = folded(job, facts)
    assert timeless(seen) == timeless(folded(job, JOBS[job][2])[1])
    assert fold.skipped == 1


@pytest.mark.parametrize("job", ["run", "study"])
@given(field=words.filter(str.isidentifier), value=values)
def test_so_are_those_deep_within(job, field, value):
    """In a task's error, an artifact, an objective, a dimension."""
    known = ("message", "name", "metric", "kind", "traceback", "place", "type", "uri", "metadata", "further")

    def grown(told: Any) -> Any:
        if isinstance(told, list):
            return [grown(one) for one in told]
        if not isinstance(told, dict):
            return told
        told = {name: grown(one) for name, one in told.items()}
        deep = (
            {"message"} <= set(told)
            or {"uri"} <= set(told)
            or {"metric"} <= set(told)
            or {"low"} <= set(told)
        )
        return {**told, f"{field}_": value} if deep and field not in known else told

    facts = [(kind, task, grown(told)) for kind, task, told in JOBS[job][2]]
    fold, seen = folded(job, facts)
    assert timeless(seen) == timeless(folded(job, JOBS[job][2])[1])
    assert fold.skipped == (2 if field not in known else 0)


@jobs
@given(
    told=some.lists(
        some.tuples(some.sampled_from(sorted(KNOWN)), some.sampled_from(["", "load", "0", "x"]), data),
        max_size=8,
    )
)
def test_known_kinds_with_other_data_are_never_an_error(job, told):
    fold, _ = folded(job, [*JOBS[job][2], *told])
    assert fold.seq == len(JOBS[job][2]) + len(told)
