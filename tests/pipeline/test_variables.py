"""Environment variables that a step's own code reads are its inputs: a run does with them what the kernel did."""

import os

import pytest


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


def names(component):
    return set(component.variables.names)


@pytest.fixture
def notebook(shell, monkeypatch):
    monkeypatch.setenv("STAGE", "one")
    shell.run("import os, pandas as pd")
    return shell


# -- what is cached -------------------------------------------------------------------------------------------


def test_a_step_runs_again_when_a_variable_that_it_reads_has_changed(notebook):
    component(notebook, "envr", 'import os\ne = os.environ.get("STAGE", "none")', "--output e")
    notebook.run("%kf_pipeline p envr")
    assert notebook.submit("p").outputs["envr"]["e"] == "one"
    assert notebook.submit("p").tasks["envr"].cached
    notebook.run('os.environ["STAGE"] = "two"')
    assert notebook.submit("p").outputs["envr"]["e"] == "two"
    notebook.run("%env STAGE=three")
    assert notebook.submit("p").outputs["envr"]["e"] == "three"
    notebook.run('del os.environ["STAGE"]')
    assert notebook.submit("p").outputs["envr"]["e"] == "none"
    os.environ["STAGE"] = "one"
    assert notebook.submit("p").tasks["envr"].cached


def test_other_variables_leave_it_cached(notebook, monkeypatch):
    component(notebook, "envr", 'e = os.environ["STAGE"]', "--output e")
    notebook.run("%kf_pipeline p envr")
    notebook.submit("p")
    monkeypatch.setenv("ANOTHER", "1")
    assert notebook.submit("p").tasks["envr"].cached
