"""Schedules, as a person asks for them in a notebook without a cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

import kfnb
from kfnb.commands.display import as_json, bundle
from tests.conftest import Shell


@pytest.fixture
def notebook(shell: Shell) -> Iterator[Shell]:
    """A notebook with a pipeline; no schedule is left."""
    shell.run("%%kf_component one --param n:int=1\nm = n + 1", cell_id="c1")
    shell.run("%kf_pipeline my_p one")
    yield shell
    for schedule in kfnb.schedules():
        schedule.delete()


def shown(notebook: Shell, line: str) -> str:
    return bundle(notebook.run(line))["text/plain"]


def test_a_schedule_is_made_shown_paused_resumed_run_and_deleted(notebook: Shell) -> None:
    notebook.run("%kf_schedule my_p --every 1d --n 4 --name nightly -o s")
    assert "nightly" in shown(notebook, "%kf_schedules")
    assert "every 1 d" in shown(notebook, "%kf_schedules show nightly")
    assert "paused" in shown(notebook, "%kf_schedules pause nightly")
    assert "enabled" in shown(notebook, "%kf_schedules resume nightly")
    run = notebook.run("%kf_schedules run nightly").wait(60)
    assert run.arguments == {"n": 4}
    assert [one.id for one in notebook["s"].runs] == [run.id]
    notebook.run("%kf_schedules delete nightly")
    assert shown(notebook, "%kf_schedules") == "No schedules yet."
    assert run.snapshot().schedule == notebook["s"].id


def test_what_the_options_say_is_what_the_schedule_is(notebook: Shell) -> None:
    made = notebook.run(
        "%kf_schedule my_p --cron '0 6 * * 1-5' --time-zone Europe/Berlin --no-catch-up --max-concurrency 3"
        " --start 1d --end 30d --paused"
    )
    now = made.snapshot()
    assert (now.rhythm, now.catch_up, now.max_concurrency, now.state) == (
        "0 0 6 * * 1-5 Europe/Berlin",
        False,
        3,
        "paused",
    )
    assert now.start == pytest.approx(time.time() + 86400, abs=60)
    assert json.loads(as_json(made))[0]["state"] == "paused"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", 'either cron="0 6 * * *" or every="1h" is required'),
        ("--every 1h --cron '0 6 * * *'", 'either cron="0 6 * * *" or every="1h" is required'),
        ("--every 1h --time-zone UTC", "a time zone is of cron=: intervals are alike in all of them"),
        ("--cron '0 6 * * *' --time-zone Europe/Belrin", "did you mean Europe/Berlin?"),
        ("--every 1h --max-concurrency 11", "must be 1 to 10"),
        ("--every 1h --end 2020-01-01", "no run would start before then"),
        ("--cron '0 6 30 2 *'", "no run would ever start"),
        ("--every 1h --m 3", "my-p has no parameter m"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_scheduled(
    notebook: Shell, options: str, message: str
) -> None:
    assert message in notebook.fails(f"%kf_schedule my_p {options}")
    assert list(kfnb.schedules()) == []


def test_a_schedule_is_stale_once_the_notebooks_pipeline_differs(notebook: Shell) -> None:
    notebook.run("%kf_schedule my_p --every 1d")
    notebook.run("%%kf_component one --param n:int=1\nm = n + 1", cell_id="c1")
    assert "stale" not in shown(notebook, "%kf_schedules show my-p")
    notebook.run("%%kf_component one --param n:int=1\nm = n + 2", cell_id="c1")
    text = " ".join(shown(notebook, "%kf_schedules show my-p").split())
    assert "stale schedule: the pipeline in this notebook differs from the one that is scheduled" in text
    assert json.loads(as_json(next(iter(kfnb.schedules()))))[0]["stale"]
    notebook.run("%%kf_component one --param n:int=1\nm = n + 1", cell_id="c1")
    assert "stale" not in shown(notebook, "%kf_schedules show my-p")
