"""Runs, experiments, uploads and schedules, as a person asks for them in a notebook without a cluster."""

from __future__ import annotations

import builtins

import pytest

import kfnb
from tests.conftest import Shell


@pytest.fixture
def runs(shell: Shell) -> Shell:
    shell.run("%%kf_component one --param n:int=1\nm = n + 1")
    shell.run("%kf_pipeline p one")
    for number in (1, 2):
        shell.run(f"%kf_submit p --name run-{number} --experiment e{number} -o run{number}")
    return shell


def answer(shell: Shell, monkeypatch: pytest.MonkeyPatch, word: str) -> list[str]:
    """Somebody sits before the notebook, who answers ``word``; what was asked."""
    asked: list[str] = []
    monkeypatch.setattr(type(shell.kernel), "attended", property(lambda _: True))
    monkeypatch.setattr(builtins, "input", lambda question="": asked.append(question) or word)
    return asked


def test_runs_are_filtered(runs: Shell) -> None:
    names = {
        "": ["run-2", "run-1"],
        "--experiment e1": ["run-1"],
        "--name RUN-2": ["run-2"],
        "--state failed": [],
        "--state Succeeded --limit 1": ["run-2"],
        "--since 1h": ["run-2", "run-1"],
        "--since 2999-01-01": [],
    }
    for words, expected in names.items():
        assert [run.name for run in runs.run(f"%kf_runs {words}")] == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--state lost", "unknown state lost; states are PENDING, RUNNING"),
        ("--since yesterday", "'yesterday' is not a time"),
        ("--limit -1", "0 or more"),
        ("--experiment moon", "unknown experiment moon"),
    ],
)
def test_a_filter_that_means_nothing_is_said(shell: Shell, words: str, told: str) -> None:
    assert told in shell.fails(f"%kf_runs {words}")


def test_a_run_is_archived_by_its_name_in_the_notebook_and_put_back(runs: Shell, capsys) -> None:
    runs.run("%kf_archive run1")
    assert "is archived" in capsys.readouterr().out
    assert [run.name for run in runs.run("%kf_runs")] == ["run-2"]
    assert len(runs.run("%kf_runs --archived")) == 2
    runs.run(f"%kf_archive --undo {runs['run1'].id}")
    assert len(kfnb.runs()) == 2


def test_delete_asks_and_does_nothing_without_a_yes(runs: Shell, monkeypatch, capsys) -> None:
    asked = answer(runs, monkeypatch, "")
    runs.run("%kf_delete run1 run2")
    assert asked[0].startswith("Delete these 2 runs permanently:")
    assert "(run-1)" in asked[0]
    assert "nothing was deleted" in capsys.readouterr().out
    assert len(kfnb.runs()) == 2


def test_delete_does_it_after_a_yes(runs: Shell, monkeypatch) -> None:
    answer(runs, monkeypatch, "y")
    runs.run("%kf_delete run1")
    assert [run.name for run in kfnb.runs()] == ["run-2"]


def test_delete_wants_yes_where_nobody_is_there(runs: Shell) -> None:
    assert "give --yes" in runs.fails("%kf_delete run1")
    assert len(kfnb.runs()) == 2
    runs.run("%kf_delete --yes run1 run2 run1")
    assert len(kfnb.runs()) == 0


def test_nothing_is_deleted_where_one_of_the_runs_is_not_there(runs: Shell) -> None:
    assert "unknown run moon" in runs.fails("%kf_delete --yes run1 moon")
    assert len(kfnb.runs()) == 2


def test_experiments_are_listed(runs: Shell) -> None:
    found = runs.run("%kf_experiments -o mine")
    assert [one.name for one in found] == ["e2", "e1"]
    text = runs.ip.display_formatter.format(runs["mine"])[0]
    assert text["text/plain"].splitlines()[2].startswith("e2")
    assert "<table" in text["text/html"]


@pytest.mark.parametrize(
    "line",
    [
        "%kf_upload p",
        "%kf_upload --list",
        "%kf_schedule p --every 1h --backend kubeflow",
        "%kf_schedules --backend kubeflow",
        "%kf_schedule --pause kubeflow:x",
    ],
)
def test_what_needs_a_cluster_says_how_to_name_one(runs: Shell, line: str) -> None:
    message = runs.fails(line)
    assert "needs a cluster, but the backend is local: %kf_config backend=kubeflow host=ADDRESS" in message
    assert "\n" not in message
