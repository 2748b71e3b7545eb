"""The engine of schedules on a cluster does what each of them does; and what it asks for when a run is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from recurring_runs import RecurringShelf
from replay import Replay
from schedule_conformance import ScheduleConformance, nightly

from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.run_builder import outline
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.schedules.model import Recurrence


@pytest.fixture
def shelf(replay: Replay) -> RecurringShelf:
    replay.invented = RecurringShelf()
    return replay.invented


@pytest.fixture
def engine(kubeflow: KubeflowRunEngine, shelf: RecurringShelf) -> ScheduleEngine:
    return KubeflowScheduleEngine(kubeflow.submitter)


class TestKubeflowSchedules(ScheduleConformance):
    """The suite that every engine passes."""


def test_a_run_that_is_started_by_hand_is_what_the_schedule_would_start(
    engine: ScheduleEngine, shelf: RecurringShelf, tmp_path: Path
) -> None:
    made = engine.create(nightly(tmp_path), Recurrence(every=5400, digest="d1"))
    engine.run(made.id)
    (body,) = shelf.started
    assert body["runtime_config"]["parameters"] == {"rows": 200}
    assert body["pipeline_spec"]["pipelineInfo"]["name"] == "doubling"
    assert body["display_name"].startswith("nightly-")
    assert not {"trigger", "mode", "max_concurrency", "recurring_run_id", "description"} & body.keys()


def test_a_run_says_which_schedule_started_it() -> None:
    answer = {"run_id": "1", "recurring_run_id": "64b3", "state": "SUCCEEDED"}
    assert outline(answer).schedule == "64b3"
    assert outline({"run_id": "1", "state": "SUCCEEDED"}).schedule == ""
