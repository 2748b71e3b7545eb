"""Uploads, schedules and experiments of a cluster, from a notebook and from a terminal."""

from __future__ import annotations

import json

import pytest
from replay import RECORDINGS, Replay, serving
from test_schedules import SCHEDULE
from test_upload_engine import sorted_too

import kfnb
from kfnb import cli, settings
from kfnb.commands.display import bundle
from kfnb.remote.kfp import paging
from tests.conftest import Shell

GOOD = str(RECORDINGS / "pipeline-good.yaml")


@pytest.fixture
def replay(monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 10)
    with serving(("catalog",)) as server:
        sorted_too(server)
        yield server


@pytest.fixture
def notebook(shell: Shell, replay: Replay) -> Shell:
    shell.run(f"%kf_config host={replay.url}")
    return shell


def test_a_pipeline_is_uploaded_and_listed(notebook: Shell):
    made = notebook.run(f"%kf_upload {GOOD} --version v2 -o made")
    assert (made.name, made.version) == ("train-and-deploy", "v2")
    assert notebook["made"] is made
    assert [one.version for one in notebook.run("%kf_upload --list train-and-deploy")] == [
        "train-and-deploy",
        "v2",
    ]
    drawn = notebook.ip.display_formatter.format(made)[0]
    assert "v2" in drawn["text/plain"]
    assert "<table" in drawn["text/html"]


def test_a_pipeline_that_was_uploaded_is_scheduled_and_the_cron_is_told(notebook: Shell, capsys):
    made = notebook.run(
        '%kf_schedule train-and-deploy --version v2 --cron "0 2 * * *" --rows 200 '
        "--name nightly --experiment summaries -o mine"
    )
    assert "'0 2 * * *' is '0 0 2 * * *' in KFP's cron" in capsys.readouterr().out
    assert (made.id, made.name, made.latest.cron) == (SCHEDULE, "nightly", "0 0 2 * * *")
    assert made.pause().resume().enabled
    made.delete()
    drawn = bundle(notebook["mine"])
    assert "0 0 2 * * *" in drawn["text/plain"]
    assert "enabled" in drawn["text/plain"]


def test_without_the_cache_an_uploaded_pipeline_is_sent_once_more(notebook: Shell, replay: Replay):
    notebook.run("%kf_schedule train-and-deploy --version v2 --every 1h --experiment summaries --no-cache")
    sent = next(one["body"] for one in replay.asked if one["path"].endswith("/recurringruns"))
    assert "pipeline_version_reference" not in sent
    tasks = sent["pipeline_spec"]["root"]["dag"]["tasks"]
    assert all(task["cachingOptions"] == {} for task in tasks.values())


def test_a_schedule_is_listed_paused_resumed_and_deleted(notebook: Shell, replay: Replay, capsys):
    assert [one.id for one in notebook.run("%kf_schedule --list")] == [SCHEDULE]
    assert notebook.run("%kf_schedule --pause nightly").id == SCHEDULE
    assert notebook.run(f"%kf_schedule --resume {SCHEDULE}").id == SCHEDULE
    assert notebook.run("%kf_schedule --delete 64b") is None
    assert f"deleted schedule nightly ({SCHEDULE})" in capsys.readouterr().out
    assert [path.rpartition(":")[2] for path in replay.paths("POST")] == ["disable", "enable"]
    assert len(replay.paths("DELETE")) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "a pipeline and --cron or --every are required"),
        (GOOD, "either cron="),
        (f"{GOOD} --every 1h --cron '0 6 * * *'", "either cron="),
        (f"{GOOD} --every soon", "'soon' is not a duration"),
        (f"{GOOD} --cron '0 25 * * *'", "'25' is not a valid hour"),
        (f"{GOOD} --every 1h --max-concurrency 11", "must be 1 to 10"),
        (f"{GOOD} --every 1h --end 2026-01-01", "end=2026-01-01: no run would start before then"),
        (f"{GOOD} --every 1h --start 2d --end 1d", "end=1d: no run would start before then"),
        (f"{GOOD} --every 1h --moon 1", "train-and-deploy has no parameter moon"),
        (f"{GOOD} --every 1h --rows x", "rows must be int, not 'x'"),
        ("--list --pause x", "--list cannot be combined with --pause"),
        ("--list churn", "--list cannot be combined with churn"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_before_anything_is_sent(
    notebook: Shell, replay: Replay, words: str, told: str
):
    assert told in notebook.fails(f"%kf_schedule {words}")
    assert replay.paths("POST") == []


def test_the_public_functions_do_the_same(notebook: Shell):
    made = kfnb.upload(GOOD, version="v2")
    schedule = kfnb.schedule(
        made, {"rows": 200}, cron="0 0 2 * * *", name="nightly", experiment="summaries", end="2999-01-01"
    )
    assert isinstance(schedule, kfnb.Schedule)
    assert [one.name for one in kfnb.schedules()] == ["nightly"]
    assert [one.name for one in kfnb.experiments(backend="kubeflow")] == ["Default", "e1", "summaries"]
    assert kfnb.uploads("train-and-deploy")[1] == made


def test_the_command_does_the_same(replay: Replay, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KFNB_HOST", replay.url)
    monkeypatch.setenv("KFNB_BACKEND", "kubeflow")
    settings.reset(start=tmp_path)
    try:
        assert cli.main(["upload", GOOD, "--version", "v2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["version"] == "v2"
        assert cli.main(["schedule", "--list", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["cron"] == "0 0 2 * * *"
        assert cli.main(["schedule", "--pause", "nightly"]) == 0
        assert "nightly" in capsys.readouterr().out
        assert cli.main(["schedule", "--delete", SCHEDULE]) == 0
        assert capsys.readouterr().err.startswith("deleted schedule nightly")
        assert cli.main(["experiments"]) == 0
        assert "summaries" in capsys.readouterr().out
        assert cli.main(["schedule", "--resume", "moon"]) == 1
        assert "unknown schedule moon" in capsys.readouterr().err
    finally:
        monkeypatch.undo()
        settings.reset(start=tmp_path)
