"""Schedules: made, listed, paused, resumed and deleted, as the recording has it."""

from __future__ import annotations

import json
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import pytest
from replay import Replay, exchanges, serving

from kfnb.errors import BackendError
from kfnb.remote.kfp import paging
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.submitter import Submitter
from kfnb.resources.schedules import handle
from kfnb.resources.schedules.handle import Schedule
from kfnb.resources.schedules.kubeflow import engine as engines
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.schedules.model import Recurrence
from kfnb.resources.schedules.view import draw_schedule, draw_schedules
from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.text.timespec import instant

SCHEDULE, SUMMARIES = "64b37f17-e960-4c69-b1d8-06c7ecfed284", "91c448da-cf67-497a-ba05-e42d2ad6946f"
VERSION = UploadedPipeline(
    "af1840ec-e847-4e5c-80fb-3a49720de5c1", "train-and-deploy", "v2", "c069aaea-d6c9-47ef-8cd9-052a7de02add"
)
SPEC = {
    "pipelineInfo": {"name": "train-and-deploy"},
    "root": {"dag": {"tasks": {"load": {}}}},
    "components": {},
}


@pytest.fixture(autouse=True)
def _recorded_pages(monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 10)


@pytest.fixture
def replay():
    with serving(("catalog",)) as server:
        yield server


@pytest.fixture
def schedules(kubeflow: KubeflowRunEngine) -> KubeflowScheduleEngine:
    return KubeflowScheduleEngine(kubeflow.submitter)


def nightly(**more) -> Submission:
    return Submission(
        **{"spec": SPEC, "arguments": {"rows": 200}, "name": "nightly", "experiment": "summaries"} | more
    )


def test_a_schedule_of_an_uploaded_version_is_asked_for_as_kfps_own_client_does(
    schedules: KubeflowScheduleEngine, replay: Replay
):
    made = schedules.create(nightly(), Recurrence(cron="0 0 2 * * *"), VERSION)
    asked = next(
        row["request"]
        for row in exchanges("catalog")
        if row["method"] == "POST" and row["path"].endswith("/recurringruns")
    )
    assert replay.asked[-2]["body"] == asked
    assert (made.id, made.name, made.pipeline, made.cron) == (
        SCHEDULE,
        "nightly",
        "train-and-deploy",
        "0 0 2 * * *",
    )
    assert (made.enabled, made.catch_up, made.max_concurrency, made.experiment) == (
        True,
        True,
        1,
        "summaries",
    )
    assert (made.arguments, made.created, made.status) == ({"rows": 200}, 1795445033.0, "")


def test_a_schedule_of_a_spec_has_its_rhythm_and_its_ends(schedules: KubeflowScheduleEngine, replay: Replay):
    rhythm = Recurrence(every=3600, start=0.0, end=86400.0, catch_up=False, max_concurrency=3, enabled=False)
    replay.invented = lambda method, _, body: (
        (200, {"recurring_run_id": SCHEDULE, **body}) if method == "POST" else None
    )
    made = schedules.create(nightly(cache=False), rhythm)
    sent = next(one["body"] for one in replay.asked if one["method"] == "POST")
    assert sent["trigger"] == {
        "periodic_schedule": {
            "interval_second": "3600",
            "start_time": "1970-01-01T00:00:00Z",
            "end_time": "1970-01-02T00:00:00Z",
        }
    }
    assert (sent["mode"], sent["no_catchup"], sent["max_concurrency"]) == ("DISABLE", True, 3)
    assert sent["pipeline_spec"]["root"]["dag"]["tasks"]["load"] == {"cachingOptions": {}}
    assert (made.rhythm, made.enabled, made.catch_up, made.pipeline) == (
        "every 1 h",
        False,
        False,
        "train-and-deploy",
    )


@pytest.mark.parametrize("mode", ["ENABLE", "DISABLE"])
def test_a_schedule_whose_end_has_passed_is_ended_whatever_the_server_calls_it(
    schedules: KubeflowScheduleEngine, replay: Replay, monkeypatch, mode: str
):
    until = {"cron": "0 0 2 * * *", "end_time": "2026-12-01T00:00:00Z"}
    told = {"recurring_run_id": SCHEDULE, "display_name": "nightly", "mode": mode, "status": f"{mode}D"}
    answer = told | {"trigger": {"cron_schedule": until}}
    replay.invented = lambda _, path, __: (200, {"recurringRuns": [answer]}) if "runs?" in path else None
    monkeypatch.setattr(engines, "_now", lambda: instant("2026-11-30T23:59:59Z"))
    (before,) = schedules.list()
    assert (before.enabled, before.status) == (mode == "ENABLE", "")
    monkeypatch.setattr(engines, "_now", lambda: instant("2026-12-01T00:00:00Z"))
    (after,) = schedules.list()
    assert (after.enabled, after.status) == (False, "ENDED")
    assert "ended" in draw_schedules([after])["text/plain"]
    assert json.loads(json.dumps(asdict(after)))["status"] == "ENDED"


def test_schedules_are_listed(schedules: KubeflowScheduleEngine):
    (found,) = schedules.list()
    assert (found.id, found.rhythm, found.pipeline) == (SCHEDULE, "0 0 2 * * *", "train-and-deploy")


@pytest.mark.parametrize("word", [SCHEDULE, "64b3", "nightly"])
def test_a_schedule_is_found_by_its_id_the_start_of_it_or_its_name(schedules: KubeflowScheduleEngine, word):
    assert schedules.get(word).id == SCHEDULE


def test_a_schedule_is_paused_resumed_and_deleted(schedules: KubeflowScheduleEngine, replay: Replay):
    schedules.pause(SCHEDULE)
    schedules.resume(SCHEDULE)
    schedules.delete(SCHEDULE)
    where = f"/apis/v2beta1/recurringruns/{SCHEDULE}"
    assert replay.paths("POST") == [f"{where}:disable", f"{where}:enable"]
    assert replay.paths("DELETE") == [where]


def test_a_schedule_that_is_not_there_is_said(schedules: KubeflowScheduleEngine, replay: Replay):
    with pytest.raises(BackendError, match="unknown schedule moon: %kf_schedules lists"):
        schedules.get("moon")
    replay.fail(times=9, status=404, body={"code": 5, "message": "RecurringRun not found"}, match=SCHEDULE)
    for act in (schedules.get, schedules.pause, schedules.delete):
        with pytest.raises(BackendError, match=f"unknown schedule {SCHEDULE}"):
            act(SCHEDULE)


def test_two_schedules_of_one_name_are_told_apart_by_their_ids(
    schedules: KubeflowScheduleEngine, replay: Replay
):
    both = [{"recurring_run_id": f"{n}", "display_name": "nightly"} for n in range(2)]
    replay.invented = lambda _, path, __: (200, {"recurringRuns": both}) if "recurringruns?" in path else None
    with pytest.raises(BackendError, match="2 schedules have the name nightly"):
        schedules.get("nightly")


def test_what_the_server_says_of_a_cron_is_told_in_its_words():
    bad = next(row for row in exchanges("errors") if row["path"].endswith("/recurringruns"))
    with serving(("errors",)) as replay:
        engine = KubeflowScheduleEngine(Submitter(KfpServer(replay.url)))
        submission = Submission(
            spec=bad["request"]["pipeline_spec"], arguments={}, name="x", experiment="summaries"
        )
        with pytest.raises(BackendError, match="Expected 5 to 6 fields, found 3"):
            engine.create(submission, Recurrence(cron="not a cron"))


def test_experiments_are_listed_with_their_last_runs(kubeflow: KubeflowRunEngine):
    found = kubeflow.experiments()
    assert [(one.name, one.last_run) for one in found] == [
        ("Default", None),
        ("e1", 1795444400.0),
        ("summaries", 1795444937.0),
    ]
    assert found[2].id == SUMMARIES


def test_a_page_is_asked_for_after_the_other(kubeflow: KubeflowRunEngine, replay: Replay):
    def invented(method, path, body):
        if "/experiments?" not in path:
            return None
        made = {"experiment_id": "2" if "page_token=next" in path else "1", "display_name": "e"}
        return 200, {"experiments": [made]} | (
            {} if made["experiment_id"] == "2" else {"next_page_token": "next"}
        )

    replay.invented = invented
    assert [one.id for one in kubeflow.experiments()] == ["1", "2"]


GONE = "f75660ee-c5bb-4254-bb71-41c86cb50d1a"


def test_a_run_is_archived_put_back_and_deleted(kubeflow: KubeflowRunEngine, replay: Replay):
    kubeflow.archive(GONE)
    kubeflow.unarchive(GONE)
    replay.invented = lambda method, path, _: (
        (200, {"run_id": GONE, "state": "FAILED"}) if method == "GET" and path.endswith(GONE) else None
    )
    kubeflow.delete(GONE)
    where = f"/apis/v2beta1/runs/{GONE}"
    assert replay.paths("POST") == [f"{where}:archive", f"{where}:unarchive"]
    assert replay.paths("DELETE") == [where]


def test_a_run_that_goes_on_is_not_deleted(kubeflow: KubeflowRunEngine, replay: Replay):
    replay.invented = lambda method, path, _: (
        (200, {"run_id": GONE, "state": "RUNNING"}) if method == "GET" and path.endswith(GONE) else None
    )
    with pytest.raises(BackendError, match="is RUNNING; stop it first"):
        kubeflow.delete(GONE)
    assert replay.paths("DELETE") == []


def a_run(number: int, state: str, scheduled: str) -> dict[str, str]:
    created = f"2026-11-2{number}T02:00:03Z"
    return {"run_id": f"run-{number}", "state": state, "scheduled_at": scheduled, "created_at": created}


def test_the_last_runs_of_a_schedule_are_those_of_the_server(
    kubeflow: KubeflowRunEngine, schedules: KubeflowScheduleEngine, replay: Replay, monkeypatch
):
    newest_first = [
        a_run(3, "RUNNING", "1970-01-01T00:00:00Z"),  # started by hand
        a_run(2, "FAILED", "2026-11-22T02:00:00Z"),
        a_run(1, "SUCCEEDED", "2026-11-21T02:00:00Z"),
    ]
    asked: list[dict[str, list[str]]] = []

    def answer(method: str, path: str, _body: object) -> tuple[int, object] | None:
        if not urlsplit(path).path.endswith("/runs"):
            return None
        asked.append(parse_qs(urlsplit(path).query))
        return 200, {"runs": newest_first}

    replay.invented = answer
    found = schedules.get(SCHEDULE)
    assert [(one.run, str(one.run_state)) for one in found.ticks] == [
        ("run-1", "SUCCEEDED"),
        ("run-2", "FAILED"),
        ("run-3", "RUNNING"),
    ]
    assert [one.due for one in found.ticks] == [
        instant("2026-11-21T02:00:00Z"),
        instant("2026-11-22T02:00:00Z"),
        instant("2026-11-23T02:00:03Z"),
    ]
    assert found.next is None, "only the server knows the time zone of its crons"
    (query,) = asked
    (predicate,) = json.loads(query["filter"][0])["predicates"]
    assert predicate == {"operation": "EQUALS", "key": "recurring_run_id", "string_value": SCHEDULE}
    assert query["sort_by"] == ["created_at desc"]
    shown = draw_schedule(found)["text/plain"]
    assert shown.index("run-3") < shown.index("run-1")
    assert "✗ Failed" in shown
    monkeypatch.setattr(handle, "engine_of", lambda _: kubeflow)
    assert [one.id for one in Schedule(schedules, found).runs] == ["run-3", "run-2", "run-1"]


def test_an_interval_tells_when_the_next_run_starts(schedules: KubeflowScheduleEngine, replay: Replay):
    hourly = {
        "recurring_run_id": SCHEDULE,
        "display_name": "hourly",
        "mode": "ENABLE",
        "created_at": "2026-11-22T01:00:00Z",
        "trigger": {"periodic_schedule": {"interval_second": "3600"}},
    }
    runs = [a_run(2, "SUCCEEDED", "2026-11-22T02:00:00Z")]
    replay.invented = lambda _, path, __: (200, {"runs": runs} if "/runs?" in path else hourly)
    assert schedules.get(SCHEDULE).next == instant("2026-11-22T03:00:00Z")
    runs.clear()
    assert schedules.get(SCHEDULE).next == instant("2026-11-22T02:00:00Z")
    hourly["mode"] = "DISABLE"
    assert schedules.get(SCHEDULE).next is None


def test_a_schedule_whose_runs_may_not_be_listed_says_so(schedules: KubeflowScheduleEngine, replay: Replay):
    refused = (403, {"code": 7, "message": "no permission to list runs"})
    replay.invented = lambda _, path, __: refused if "/runs?" in path else None
    found = schedules.get(SCHEDULE)
    assert found.ticks == ()
    (note,) = found.notes
    assert note.startswith("its runs are not known: ")
