"""Completion of the magics' words and of a run's keys: what fits, best first, and nothing else."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from kfnb import registry
from kfnb.commands import completion
from kfnb.resources.runs import api
from kfnb.resources.schedules import api as schedules_api
from tests.conftest import Shell


def complete(shell: Shell, text: str, cursor: int | None = None) -> list[str]:
    """The completions of a cell, as JupyterLab gets them by ipykernel and a terminal by IPython."""
    with provisionalcompleter():
        return [one.text for one in shell.ip.Completer.completions(text, cursor or len(text))]


@pytest.fixture(autouse=True)
def _forgetful_and_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known from the test before, and what fits is waited for, however busy the machine is."""
    monkeypatch.setattr(completion, "answers", completion.SlowAnswers())
    monkeypatch.setattr(completion, "TIMEOUT", 60.0)


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    """A notebook with two components, a pipeline of them, and names of a user's own."""
    shell.run("%%kf_component load --param rows:int=3 --output x\nx = rows")
    shell.run("%%kf_component train_model --param rate:float=0.5 --output loss\nloss = x * rate")
    shell.run("%kf_pipeline churn load train_model")
    shell.run("backend_of_mine, _hidden, state = 1, 2, 3")
    return shell


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%kf_config exp", ["experiment="]),
        ("%kf_config backend=", ["backend=local", "backend=kubeflow"]),
        ("%kf_config cache=", ["cache=true", "cache=false"]),
        ("%%kf_component x --ou", ["--output"]),
        ("%%kf_component x --secret a:b=C --con", ["--continue", "--config-map"]),
        ("%kf_pipeline p ", ["load", "train_model"]),
        ("%kf_pipeline p load ", ["train_model"]),
        ("%kf_submit ", ["churn"]),
        ("run = %kf_submit ch", ["churn"]),
        ("%kf_submit churn --ro", ["--rows"]),
        ("%kf_submit churn --rows 4 --r", ["--rate"]),
        ("%kf_submit churn --backend ", ["local", "kubeflow"]),
        ("%kf_submit churn --backend=l", ["--backend=local"]),
        ("%kf_submit churn -p ", ["rows", "rate"]),
        ("%kf_submit churn \\\n    --ra", ["--rate"]),
        ("x = 1\n%kf_submit churn --ra", ["--rate"]),
        ("%kf_submit churn --name ", []),
        ("%kf_submit churn -o ", []),
        ("%kf_submit churn --experiment 'a", []),
        ("%kf_show ", ["churn", "load", "train_model"]),
        ("%kf_compile churn --py", ["--python"]),
        ("%kf_logs --fo", ["--follow"]),
        ("%kf_logs --level w", ["warning"]),
        ("%kf_runs --state s", ["succeeded", "skipped"]),
        ("%kf_upload ch", ["churn"]),
        ("%kf_schedule churn --cr", ["--cron"]),
        ("%kf_schedule churn --ro", ["--rows"]),
        ("%kf_tune ", ["churn", "load", "train_model"]),
        ("%kf_tune load --algorithm r", ["random"]),
        ("%%kf_tune s --algorithm cmaes --setting s", ["sigma="]),
        ("%%kf_tune s --early-stopping ", ["median"]),
        ("%kf_delete --y", ["--yes"]),
        ("%kf_notebook st", ["start", "stop"]),
        ("%kf_run ", []),
        ("%kf_submit churn --keep-files --na", ["--name"]),
        ("%kf_submit churn --keep-files --name n --keep", ["--keep-files"]),
        ("%kf_submit churn --env KFNB_HOM", ["KFNB_HOME"]),
    ],
)
def test_what_fits_is_offered_and_nothing_else(notebook: Shell, line: str, expected: list[str]) -> None:
    assert complete(notebook, line) == expected


def test_a_pipelines_own_parameters_come_before_options_and_help_comes_last(notebook: Shell) -> None:
    found = complete(notebook, "%kf_submit churn --")
    assert found[:3] == ["--rows", "--rate", "--backend"]
    assert found[-1] == "--help"
    assert all(word.startswith("--") and not word.startswith("--_") for word in found)


def test_an_option_that_was_given_is_offered_no_more_but_where_it_may_be_repeated(notebook: Shell) -> None:
    found = complete(notebook, "%%kf_component x --image a --output b --")
    assert "--image" not in found
    assert "--output" in found


@pytest.mark.parametrize(
    "magic", [row.magic for _, row in registry.commands() if row.magic], ids=lambda magic: magic.strip("%")
)
def test_every_magic_is_completed(notebook: Shell, magic: str) -> None:
    assert "--help" in complete(notebook, f"{magic} --")


def test_elsewhere_completion_is_ipythons(notebook: Shell) -> None:
    assert "backend_of_mine" in complete(notebook, "x = backend_")
    assert "%kf_submit" in complete(notebook, "%kf_sub")


@pytest.fixture
def ran(notebook: Shell) -> Shell:
    """The notebook, where a run of its pipeline has ended and is called ``done``."""
    notebook.run("%kf_submit churn -o done")
    notebook["done"].wait(120)
    return notebook


def test_runs_are_completed_by_the_names_they_are_bound_to_and_by_id(ran: Shell) -> None:
    id = ran["done"].id
    assert complete(ran, "%kf_logs ")[:2] == ["done", id]
    assert complete(ran, f"%kf_logs {id[:4]}") == [id]
    assert "done" not in complete(ran, "%kf_compare done ")


def test_tasks_of_a_run_are_completed(ran: Shell) -> None:
    assert complete(ran, "%kf_logs done ")[:2] == ["load", "train-model"]
    assert complete(ran, f"%kf_logs {ran['done'].id} tr") == ["train-model"]


def test_a_run_is_named_wherever_it_is_offered(ran: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    ran.run("%kf_logs done load --tail all")
    assert ran.run("%kf_run done").id == ran["done"].id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('done.outputs["', ["load", "train-model"]),
        ("done.outputs['tr", ["train-model"]),
        ("done.outputs[", ['"load"', '"train-model"']),
        ('done.outputs["train-m', ["train-model"]),
        ('done.outputs["train_model"]["', ["loss"]),
        ('print(done.outputs["load"]["', ["x"]),
        ('done.tasks["load"].outputs["', ["x"]),
        ('done.arguments["', ["rate", "rows"]),
        ('done.metrics["load"]["', []),
        ('done.outputs["unknown"]["', []),
        ('puts["lo', ["load"]),
    ],
)
def test_the_keys_of_what_a_run_has_are_completed(ran: Shell, text: str, expected: list[str]) -> None:
    ran.run("puts = done.outputs")
    assert complete(ran, text) == expected


def test_keys_of_other_things_are_ipythons(notebook: Shell) -> None:
    notebook.run('d = {"alpha": 1}')
    assert "alpha" in complete(notebook, 'd["al')


def test_schedules_are_completed_where_a_cluster_can_be_asked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [SimpleNamespace(id="64b37f17-e960-4c69")]
    monkeypatch.setattr(schedules_api, "schedules", lambda: told)
    assert complete(shell, "%kf_schedule --pause 64") == ["64b37f17-e960-4c69"]


def test_a_cluster_that_is_silent_keeps_nobody_waiting(
    notebook: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def runs(**_words: Any) -> list[SimpleNamespace]:
        answers.wait(60)
        return [SimpleNamespace(id="late")]

    monkeypatch.setattr(api, "runs", runs)
    monkeypatch.setattr(completion, "TIMEOUT", 0.2)
    assert "late" not in complete(notebook, "%kf_logs ")
    answers.set()
    monkeypatch.setattr(completion, "TIMEOUT", 60.0)
    assert complete(notebook, "%kf_logs l") == ["late"]


def test_a_backend_that_fails_is_no_error_of_a_completion(
    notebook: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def runs(**_words: Any) -> list[SimpleNamespace]:
        raise RuntimeError("the cluster is gone")

    monkeypatch.setattr(api, "runs", runs)
    assert complete(notebook, "%kf_logs la") == []
    assert capsys.readouterr().err == ""
