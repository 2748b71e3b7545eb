"""``kfnb tune`` and ``kfnb studies``: what goes to stdout and stderr, and exit codes."""

import json
from pathlib import Path

import pytest

from kfnb.cli import main

PROGRAM = """
from kfp import dsl


@dsl.component(base_image="python:3.11")
def bowl(x: float, fail: bool = False) -> float:
    if fail:
        raise ValueError("no")
    return (x - 0.3) ** 2


@dsl.pipeline(name="bowl")
def pipeline(x: float = 1.0, fail: bool = False) -> float:
    return bowl(x=x, fail=fail).output
"""
WORDS = ["--space", "x=float(0,1)", "--objective", "bowl.Output", "--minimize", "--trials", "3"]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bowl.py").write_text(PROGRAM)
    from kfnb import settings

    settings.reset()
    assert main(["compile", "bowl.py", "--to", "bowl.yaml"]) == 0
    capsys.readouterr()
    return "bowl.yaml"


def test_tune_waits_and_prints_the_study(compiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", compiled, *WORDS]) == 0
    said = capsys.readouterr()
    assert "Best trial" in said.out
    assert "study bowl" in said.err
    assert "succeeded: 3 of 3 trials, best bowl.Output" in said.err


def test_tune_prints_the_study_as_json(compiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", compiled, *WORDS, "--study", "other", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["state"], len(told["trials"])) == ("other", "SUCCEEDED", 3)
    assert told["best"]["value"] == min(trial["value"] for trial in told["trials"])
    assert main(["studies", "--json"]) == 0
    assert [study["name"] for study in json.loads(capsys.readouterr().out)] == ["other"]
    assert main(["studies", "show", "other", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told


def test_a_study_that_fails_is_exit_code_1(compiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", compiled, *WORDS, "--fail", "true"]) == 1
    assert "ValueError: no" in capsys.readouterr().out


def test_wrong_words_are_exit_code_2(compiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", compiled, "--space", "y=float(0,1)", *WORDS[2:]]) == 2
    assert "bowl has no parameter y" in capsys.readouterr().err
    assert main(["tune", compiled, *WORDS[:4]]) == 2
    assert "kfnb tune: --minimize or --maximize is required" in capsys.readouterr().err


def test_a_study_goes_on_and_is_deleted(compiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", compiled, *WORDS]) == 0
    assert main(["studies", "show", "bowl", "--resume", "--trials", "1"]) == 0
    assert "4 of 4 trials" in capsys.readouterr().err
    assert main(["studies", "show", "bowl", "--delete"]) == 0
    assert main(["studies", "show", "bowl"]) == 1
    assert "unknown study bowl" in capsys.readouterr().err
