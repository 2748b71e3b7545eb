"""Lists of runs and schedules by the time, as a real server answered: which runs a filter lets pass."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from replay import RUNS, Replay, exchanges, serving, text_of
from run_store import listed
from synthetic_runs import many_runs

from kfnb.entities import RunState
from kfnb.errors import RunNotFound
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow import run_filter
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.selection import Selection
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.schedules.model import Recurrence
from kfnb.text.timespec import instant

HASTE = RetryPolicy(tries=2, pause=0.01, longest=0.05, connect=10.0, read=30.0)

# made a second after each other, in this order
WINTER, SUMMER, SLOW, WAITS = "winter prices", "summer prices", "a slow one", "waits"
SLOW_MADE = instant("2026-11-25T03:32:09Z")
ENDED = "fe9c6ff1-75d9-473b-9a88-7d2a736d2e10"


def choosing(runs: list):
    """A server of these runs that chooses by EQUALS and NOT_EQUALS, which the recording has for other runs alone."""

    def invented(method: str, path: str, _):
        query = dict(parse_qsl(urlsplit(path).query))
        return listed(runs, query) if method == "GET" and "EQUALS" in query.get("filter", "") else None

    return invented


@pytest.fixture
def replay():
    recorded = next(row for row in exchanges("listing") if row["path"].startswith(f"{RUNS}?"))
    with serving(("listing",)) as server:
        server.invented = choosing(recorded["response"]["runs"])
        yield server


def names(kubeflow: KubeflowRunEngine, **selection) -> list[str]:
    return [run.name for run in kubeflow.list(Selection(**selection))]


def test_all_runs_come_the_newest_first(kubeflow: KubeflowRunEngine):
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
def test_runs_are_chosen_by_their_state(kubeflow: KubeflowRunEngine, state: RunState, found: list[str]):
    assert names(kubeflow, state=state) == found


def test_a_part_of_a_name_finds_runs_whatever_its_case(kubeflow: KubeflowRunEngine):
    assert names(kubeflow, name="PRICES") == [SUMMER, WINTER]


def test_the_moment_itself_is_within_since_and_not_within_until(kubeflow: KubeflowRunEngine):
    assert names(kubeflow, since=SLOW_MADE) == [WAITS, SLOW]
    assert names(kubeflow, until=SLOW_MADE) == [SUMMER, WINTER]


PAGES = [f"page {number}" for number in reversed(range(7))]
"""Seven runs, all of them terminated, that were listed in pages of three."""


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_filter, "_PAGE", 3)
    with serving(("stock/paging",)) as server:
        yield server, KubeflowRunEngine(KfpServer(server.url, retry=HASTE))


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, PAGES),
        ({"state": RunState.CANCELED}, PAGES),
        ({"state": RunState.FAILED}, []),
        ({"name": "page"}, PAGES),
        ({"since": instant("2026-11-29T17:00:00Z")}, PAGES),
        ({"since": instant("2026-11-29T17:50:25Z")}, PAGES[:5]),
        ({"until": instant("2026-11-29T17:50:26Z")}, PAGES[4:]),
        ({"until": instant("2026-11-30T00:00:00Z"), "state": RunState.CANCELED}, PAGES),
    ],
)
def test_all_pages_come_whatever_is_chosen_by(paged, chosen: dict, found: list[str]):
    replay, backend = paged
    backend._experiments._remember("c85a62f8-34cd-428d-8b8b-f7b81a75a176", "pages")
    assert names(backend, experiment="pages", **chosen) == found
    refused = [row for row in exchanges("stock/paging") if row["status"] == 400]
    assert refused  # what 2.17.0 forgets is in the recording
    assert not {row["path"] for row in refused} & {one["path"] for one in replay.asked}


def test_runs_that_are_too_old_are_not_asked_for(paged):
    replay, backend = paged
    backend._experiments._remember("c85a62f8-34cd-428d-8b8b-f7b81a75a176", "pages")
    assert names(backend, experiment="pages", since=instant("2026-11-29T17:50:30Z")) == PAGES[:1]
    assert len([one for one in replay.asked if "page_token" in one["path"]]) == 0


@pytest.mark.parametrize("forgets", [True, False])
def test_a_run_in_a_state_is_found_however_far_back(
    kubeflow: KubeflowRunEngine, replay: Replay, forgets: bool
):
    """With KFP 2.17.0, which forgets what it was asked on the first page, and with one that does not."""
    runs = many_runs(700)
    for run in runs:
        run["state"] = "SUCCEEDED"
    runs[650]["state"] = "FAILED"
    del runs[660]["state"]  # it has just been made

    def invented(method: str, path: str, _):
        url = urlsplit(path)
        return listed(runs, dict(parse_qsl(url.query)), forgets=forgets) if url.path == RUNS else None

    replay.invented = invented
    assert names(kubeflow, state=RunState.FAILED) == ["run 650"]
    assert names(kubeflow, state=RunState.PENDING) == ["run 660"]
    assert len([one for one in replay.asked if one["path"].startswith(RUNS)]) == 2
    assert len(kubeflow.list(Selection(state=RunState.SUCCEEDED), limit=1000)) == 698


def test_several_conditions_hold_at_once(kubeflow: KubeflowRunEngine):
    spec = yaml.safe_load(text_of("pipeline-good.yaml"))
    kubeflow.submit(Submission(spec=spec, arguments={"rows": 100}, name=SUMMER, experiment="prices"))
    assert names(kubeflow, name="prices", state=RunState.FAILED, experiment="prices") == [SUMMER]


def test_as_many_runs_come_as_were_asked_for(kubeflow: KubeflowRunEngine):
    assert [run.name for run in kubeflow.list(limit=1)] == [WAITS]


def test_a_run_that_was_put_away_is_only_listed_when_asked_for_and_then_deleted_for_good(
    kubeflow: KubeflowRunEngine,
):
    for _ in range(2):
        assert WINTER in names(kubeflow)
    kubeflow.archive(ENDED)
    assert names(kubeflow) == [WAITS, SLOW, SUMMER]
    assert names(kubeflow, archived=True) == [WAITS, SLOW, SUMMER, WINTER]
    kubeflow.delete(ENDED)
    asked = [row for row in exchanges("listing") if row["path"].endswith(ENDED) and row["method"] == "DELETE"]
    assert len(asked) == 1


def test_a_schedule_by_the_time_between_runs(kubeflow: KubeflowRunEngine, replay, monkeypatch):
    monkeypatch.setattr(
        "kfnb.resources.schedules.kubeflow.engine._now", lambda: instant("2026-12-24T00:00:00Z")
    )
    spec = {"pipelineInfo": {"name": "train-and-deploy"}, "root": {"dag": {"tasks": {}}}, "components": {}}
    start, end = instant("2026-12-01T00:00:00Z"), instant("2027-01-01T00:00:00Z")
    rhythm = Recurrence(every=1800, start=start, end=end, catch_up=False, max_concurrency=2)
    schedules = KubeflowScheduleEngine(kubeflow.submitter)
    made = schedules.create(Submission(spec=spec, arguments={"rows": 5}, name="half hourly"), rhythm)
    sent = next(one["body"] for one in replay.asked if one["path"].endswith("/recurringruns"))
    recorded = next(row["request"] for row in exchanges("listing") if row["path"].endswith("/recurringruns"))
    assert {**sent, "pipeline_spec": None} == {**recorded, "pipeline_spec": None}
    assert (made.every, made.rhythm, made.start, made.end) == (1800.0, "every 30 min", start, end)
    assert (made.catch_up, made.max_concurrency, made.enabled, made.experiment) == (False, 2, True, "Default")
    schedules.pause(made.id)
    assert not schedules.get(made.id).enabled
    schedules.resume(made.id)
    assert schedules.get(made.id).enabled
    assert [one.name for one in schedules.list()] == ["half hourly"]
    schedules.delete(made.id)
    assert not list(schedules.list())


def test_what_was_deleted_is_not_found(kubeflow: KubeflowRunEngine, replay):
    gone = next(row for row in exchanges("listing") if row["status"] == 404)
    replay.invented = lambda _method, path, _body: (404, gone["response"]) if path.endswith(ENDED) else None
    with pytest.raises(RunNotFound, match="it may have been deleted"):
        kubeflow.get(ENDED)
