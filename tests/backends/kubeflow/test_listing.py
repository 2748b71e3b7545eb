"""Lists of runs and schedules by the time, as a real server answered: which runs a filter lets pass."""

from __future__ import annotations

import pytest
import yaml
from replay import exchanges, serving, text_of

from kfnb.backends.backend import Submission
from kfnb.backends.kubeflow.backend import KubeflowBackend
from kfnb.backends.kubeflow.schedules import Rhythm
from kfnb.backends.selection import Selection
from kfnb.errors import RunNotFound
from kfnb.model import RunState
from kfnb.when import instant

# made a second after each other, in this order
WINTER, SUMMER, SLOW, WAITS = "winter prices", "summer prices", "a slow one", "waits"
SLOW_MADE = instant("2026-11-25T03:32:09Z")
ENDED = "fe9c6ff1-75d9-473b-9a88-7d2a736d2e10"


@pytest.fixture
def replay():
    with serving(("listing",)) as server:
        yield server


def names(kubeflow: KubeflowBackend, **selection) -> list[str]:
    return [run.name for run in kubeflow.list(Selection(**selection))]


def test_all_runs_come_the_newest_first(kubeflow: KubeflowBackend):
    assert names(kubeflow) == [WAITS, SLOW, SUMMER, WINTER]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (RunState.PENDING, [WAITS]),
        (RunState.RUNNING, [SLOW]),
        (RunState.SUCCEEDED, [WINTER]),
        (RunState.FAILED, [SUMMER]),
        (RunState.CANCELED, []),
        (RunState.CANCELING, []),
        (RunState.SKIPPED, []),
        (RunState.PAUSED, []),
    ],
)
def test_the_server_knows_each_state(kubeflow: KubeflowBackend, state: RunState, found: list[str]):
    assert names(kubeflow, state=state) == found


def test_a_part_of_a_name_finds_runs_whatever_its_case(kubeflow: KubeflowBackend):
    assert names(kubeflow, name="PRICES") == [SUMMER, WINTER]


def test_the_moment_itself_is_within_since_and_not_within_until(kubeflow: KubeflowBackend):
    assert names(kubeflow, since=SLOW_MADE) == [WAITS, SLOW]
    assert names(kubeflow, until=SLOW_MADE) == [SUMMER, WINTER]


def test_several_conditions_hold_at_once(kubeflow: KubeflowBackend):
    spec = yaml.safe_load(text_of("pipeline-good.yaml"))
    kubeflow.submit(Submission(spec=spec, arguments={"rows": 100}, name=SUMMER, experiment="prices"))
    assert names(kubeflow, name="prices", state=RunState.FAILED, experiment="prices") == [SUMMER]


def test_as_many_runs_come_as_were_asked_for(kubeflow: KubeflowBackend):
    assert [run.name for run in kubeflow.list(limit=1)] == [WAITS]


def test_a_run_that_was_put_away_is_only_listed_when_asked_for_and_then_deleted_for_good(
    kubeflow: KubeflowBackend,
):
    for _ in range(2):
        assert WINTER in names(kubeflow)
    kubeflow.archive(ENDED)
    assert names(kubeflow) == [WAITS, SLOW, SUMMER]
    assert names(kubeflow, archived=True) == [WAITS, SLOW, SUMMER, WINTER]
    kubeflow.delete(ENDED)
    asked = [row for row in exchanges("listing") if row["path"].endswith(ENDED) and row["method"] == "DELETE"]
    assert len(asked) == 1


def test_a_schedule_by_the_time_between_runs(kubeflow: KubeflowBackend, replay):
    spec = {"pipelineInfo": {"name": "train-and-deploy"}, "root": {"dag": {"tasks": {}}}, "components": {}}
    start, end = instant("2026-12-01T00:00:00Z"), instant("2027-01-01T00:00:00Z")
    rhythm = Rhythm(every=1800, start=start, end=end, catch_up=False, max_concurrency=2)
    made = kubeflow.schedules.create(Submission(spec=spec, arguments={"rows": 5}, name="half hourly"), rhythm)
    sent = next(one["body"] for one in replay.asked if one["path"].endswith("/recurringruns"))
    recorded = next(row["request"] for row in exchanges("listing") if row["path"].endswith("/recurringruns"))
    assert {**sent, "pipeline_spec": None} == {**recorded, "pipeline_spec": None}
    assert (made.every, made.rhythm, made.start, made.end) == (1800.0, "every 30 min", start, end)
    assert (made.catch_up, made.max_concurrency, made.enabled, made.experiment) == (False, 2, True, "Default")
    kubeflow.schedules.pause(made.id)
    assert not kubeflow.schedules.get(made.id).enabled
    kubeflow.schedules.resume(made.id)
    assert kubeflow.schedules.get(made.id).enabled
    assert [one.name for one in kubeflow.schedules.list()] == ["half hourly"]
    kubeflow.schedules.delete(made.id)
    assert not list(kubeflow.schedules.list())


def test_what_was_deleted_is_not_found(kubeflow: KubeflowBackend, replay):
    gone = next(row for row in exchanges("listing") if row["status"] == 404)
    replay.invented = lambda _method, path, _body: (404, gone["response"]) if path.endswith(ENDED) else None
    with pytest.raises(RunNotFound, match="knows no such run, or it was deleted"):
        kubeflow.get(ENDED)
