"""The command ``kfnb``: verbs, exit codes, and what goes to stdout and stderr."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import kfnb
from kfnb import registry
from kfnb.cli import main
from kfnb.commands.terminal import notify
from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.runs.display import as_json

PROGRAM = """
from kfp import dsl


@dsl.component(base_image="python:3.11")
def divide(a: int, b: int) -> float:
    print("dividing", a, b)
    return a / b


@dsl.pipeline(name="ratio")
def ratio(a: int = 6, b: int = 2) -> float:
    return divide(a=a, b=b).output
"""


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ratio.py").write_text(PROGRAM)
    from kfnb import settings

    settings.reset()
    assert main(["compile", "ratio.py", "--to", "ratio.yaml"]) == 0
    return tmp_path / "ratio.yaml"


def test_submit_waits_and_prints_the_run(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(compiled), "--a", "9"]) == 0
    out = capsys.readouterr()
    assert "Succeeded" in out.out
    assert "4.5" in out.out
    assert "run " in out.err


def test_submit_prints_the_handle_as_json(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["submit", str(compiled), "--json", "-p", "a", "8"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) >= {"id", "name", "state", "result", "tasks"}
    assert (told["state"], told["result"]) == ("SUCCEEDED", {"Output": 4.0})
    (task,) = told["tasks"]
    assert set(task) >= {"name", "state", "outputs", "metrics", "error", "seconds", "cached"}


def test_a_failed_run_is_exit_1_with_its_error(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(compiled), "--b", "0"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["submit", "nothing.yaml"], "nothing.yaml: No such file"),
        (["submit", "ratio.yaml", "--c", "1"], "ratio has no parameter c"),
        (["submit", "ratio.yaml", "--a", "x"], "a must be int, not 'x'"),
        (["submit"], "the following arguments are required: pipeline"),
        (["compile", "ratio.py"], "are required"),
        (["compile", "ratio.py", "--python", "x.py"], "ratio.py is already a program"),
        (["compile", "ratio.py:other", "--to", "x.yaml"], "it defines no such pipeline"),
        (["moo"], "unknown verb moo"),
        (["runs", "--limit", "many"], "invalid int value"),
        (["run", "nothing.ipynb"], "nothing.ipynb"),
        (["compare"], "the following arguments are required: RUN"),
        (["runs", "--state", "lost"], "unknown state lost"),
        (["delete"], "the following arguments are required: RUN"),
        (["schedule", "ratio.yaml"], 'either cron="0 6 * * *" or every="1h" is required'),
        (["schedule", "ratio.yaml", "--every", "1h", "--backend", "kubeflow"], "needs a cluster"),
        (["upload", "ratio.yaml"], "an upload needs a cluster"),
        (["upload"], "a pipeline is required"),
    ],
)
def test_wrong_use_is_exit_2_in_one_line(
    compiled: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(words) == 2
    out = capsys.readouterr()
    assert told in out.err
    assert out.out == ""
    assert len(out.err.strip().splitlines()) <= 2


def test_runs_and_logs_are_those_of_the_notebook_too(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kfnb.submit(compiled, {"a": 1}).wait(60)
    assert main(["runs", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out.split("ratio.yaml\n")[-1])] == [run.id]
    assert main(["logs"]) == 0
    assert "divide  dividing 1 2" in capsys.readouterr().out
    assert main(["logs", run.id, "divide"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "dividing 1 2"


def test_a_task_that_waits_is_pending_in_json_as_it_is_in_text() -> None:
    waits = Task("train", "train", RunState.RUNNING, doing="cannot be scheduled: 0/1 nodes are available")
    told = as_json(RunSnapshot("r", "r", "p", "kubeflow", RunState.RUNNING, tasks=(waits,)))
    assert [(task["state"], task["doing"]) for task in told["tasks"]] == [("PENDING", waits.doing)]


def test_a_finished_run_is_not_said_to_be_stopping(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kfnb.submit(compiled, {"a": 1}).wait(60)
    assert main(["stop", run.id]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"run {run.id} is already finished: SUCCEEDED"


def test_runs_are_compared_as_text_and_as_json(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (kfnb.submit(compiled, {"a": a}).wait(60).id for a in (1, 4))
    capsys.readouterr()
    assert main(["compare", one, two]) == 0
    text = capsys.readouterr().out
    assert "Argument  A  B\n────────  ─  ─\na         1  4\n" in text
    assert "with --all): b" in text
    assert main(["compare", one, two, "--all"]) == 0
    assert "b 2 argument" in " ".join(capsys.readouterr().out.split())
    assert main(["compare", one, two, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == [one, two]
    assert told["arguments"] == {"a": [1, 4], "b": [2, 2]}
    assert told["states"] == {"divide": ["SUCCEEDED", "SUCCEEDED"]}
    assert set(told) == {"runs", "arguments", "metrics", "environment", "states", "seconds"}


@pytest.mark.parametrize("verb", registry.verbs())
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--help"]) == 0
    assert f"usage: kfnb {verb}" in capsys.readouterr().out


def test_the_command_is_installed_and_quick_to_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kfnb.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"kfnb {kfnb.__version__}"


@pytest.mark.parametrize("words", ["runs --json", "runs --help", "--help", "--version"])
def test_what_reads_the_output_may_stop_reading(compiled: Path, words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # it has gone already, so that chance has no part in it
    done = subprocess.run(
        [sys.executable, "-m", "kfnb.cli", *words.split()], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_a_shell_has_closed_is_no_error(compiled: Path, closed: str) -> None:
    closing = f"exec {shlex.quote(sys.executable)} -m kfnb.cli submit ratio.yaml {closed}"
    done = subprocess.run(closing, shell=True, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert [run.state for run in kfnb.runs()] == [RunState.SUCCEEDED]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["runs", "runs --json", "--help"])
def test_an_output_that_cannot_be_written_is_one_line(compiled: Path, words: str) -> None:
    line = f"{shlex.quote(sys.executable)} -m kfnb.cli {words} > /dev/full"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "cannot write the output: No space left on device\n")


def test_help_and_version_import_nothing_else_of_kfnb() -> None:
    program = (
        "import sys; from kfnb.cli import main; main([sys.argv[1]]);"
        "print(sorted(one for one in sys.modules if one.startswith(('kfnb', 'IPython', 'traitlets'))))"
    )
    for word in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", program, word], capture_output=True, text=True, check=True
        )
        assert (
            done.stdout.splitlines()[-1]
            == "['kfnb', 'kfnb.cli', 'kfnb.errors', 'kfnb.registry', 'kfnb.registry.model_rows', 'kfnb.registry.noun',"
            " 'kfnb.registry.pipeline_rows', 'kfnb.registry.platform_rows', 'kfnb.registry.rows']"
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["submti"], "unknown verb submti; did you mean submit?"),
        (["runs", "shwo"], "kfnb runs: unknown verb shwo; did you mean show?"),
        (["studies", "shw", "x"], "kfnb studies: unknown verb shw; did you mean show?"),
        (["cluster", "donw"], "kfnb cluster: unknown verb donw; did you mean down?"),
        (["notebook", "strat"], "unknown verb strat; did you mean start?"),
        (["runs", "--limt", "3"], "unknown option --limt; did you mean --limit?"),
    ],
)
def test_a_mistyped_word_is_met_with_the_right_one(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_the_help_of_runs_and_studies_names_their_further_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--help"]) == 0
    assert {"show", "prune"} <= set(capsys.readouterr().out.split())
    assert main(["studies", "--help"]) == 0
    assert "kfnb studies show" in capsys.readouterr().out


@pytest.mark.parametrize("verb", registry.verbs())
def test_no_verb_takes_what_only_a_notebook_can(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*verb.split(), "--help"])
    assert "-o NAME" not in capsys.readouterr().out
    assert main([*verb.split(), "-o", "name"]) == 2


def test_a_list_of_runs_as_json_tells_when_they_ran_and_nothing_of_tasks_it_does_not_know(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kfnb.submit(compiled).wait(60).snapshot()
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["created"], row["started"], row["finished"]) == (run.created, run.started, run.finished)
    assert None not in (row["created"], row["started"], row["finished"])
    assert "tasks" not in row
    assert main(["runs", "show", run.id, "--json"]) == 0
    (task,) = json.loads(capsys.readouterr().out)["tasks"]
    assert row["started"] <= task["started"] <= task["finished"] <= row["finished"]


@pytest.mark.parametrize(
    ("advice", "here"),
    [
        ("set %kf_config context=NAME", "set KFNB_CONTEXT=NAME"),
        ("%kf_config host=ADDRESS token_file=FILE goes", "KFNB_HOST=ADDRESS KFNB_TOKEN_FILE=FILE goes"),
        ("Check %kf_config host", "Check KFNB_HOST"),
        ("%kf_run ID shows it again", "kfnb runs show ID shows it again"),
        ("%kf_schedules lists them", "kfnb schedules lists them"),
        ("tune a cell (%%kf_tune) or %kf_pipeline NAME", "tune a cell (%%kf_tune) or %kf_pipeline NAME"),
    ],
)
def test_advice_that_names_a_magic_is_told_in_the_words_of_the_terminal(
    advice: str, here: str, capsys: pytest.CaptureFixture[str]
) -> None:
    notify(advice)
    assert capsys.readouterr().err == f"{here}\n"


def test_status_and_doctor_advise_no_magic_in_a_terminal(
    compiled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(compiled.parent / "none"))
    capsys.readouterr()
    main(["status"])
    main(["doctor"])
    main(["doctor", "--json"])
    main(["doctor", "--logs"])
    out = capsys.readouterr().out
    assert "KFNB_CONTEXT=NAME" in out
    assert "%kf" not in out


def test_runs_are_put_away_and_deleted_but_not_without_a_yes(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["submit", str(compiled), "--experiment", "e1", "--json"]) == 0
    run_id = json.loads(capsys.readouterr().out)["id"]
    assert main(["archive", run_id]) == 0
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["archive", run_id, "--undo"]) == 0
    assert main(["delete", run_id]) == 2
    assert "give --yes" in capsys.readouterr().err
    assert main(["experiments", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["e1"]
    assert main(["delete", run_id, "--yes"]) == 0
    assert main(["runs", "show", run_id]) == 1


LOUD = """
from kfp import dsl


@dsl.component(base_image="python:3.11")
def speak(lines: int):
    import logging
    import sys

    for line in range(lines):
        print("line", line)
    logging.warning("careful")
    sys.stderr.write("1%\\\\r2%\\\\r3%")
    print("end")


@dsl.pipeline(name="loud")
def loud(lines: int = 1000):
    speak(lines=lines)
"""


@pytest.fixture
def loud(compiled: Path, capsys: pytest.CaptureFixture[str]) -> str:
    (compiled.parent / "loud.py").write_text(LOUD)
    run = kfnb.submit(compiled.parent / "loud.py").wait(60)
    capsys.readouterr()
    return run.id


def test_a_terminal_gets_the_whole_log_and_what_it_asks_for(
    loud: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["logs", loud, "speak"]) == 0
    out = capsys.readouterr()
    assert (out.out.splitlines()[:2], len(out.out.splitlines()), out.err) == (["line 0", "line 1"], 1003, "")
    assert main(["logs", loud, "speak", "--tail", "2"]) == 0
    out = capsys.readouterr()
    assert len(out.out.splitlines()) == 2
    assert "(1,001 more before these, of 1,003 lines (0.0 MB): --tail N or --tail all shows more;" in out.err
    log = Path(out.err.strip().removesuffix(")").rpartition(" ")[2])
    assert log.read_text().startswith("line 0\nline 1\n")
    assert main(["logs", loud, "speak", "--level", "warning"]) == 0
    assert "careful" in capsys.readouterr().out.splitlines()[0]
    assert main(["logs", loud, "--grep", "line 99[0-9]", "--tail", "1"]) == 0
    out = capsys.readouterr()
    assert (out.out, "9 more that match before these" in out.err) == ("speak  line 999\n", True)
    assert main(["logs", loud, "--grep", "nothing"]) == 0
    assert "none of which match" in capsys.readouterr().err
    assert main(["logs", loud, "--since", "1h"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1003
    assert main(["logs", loud, "--tail", "many"]) == 2
    assert "--tail many: not a number of lines, or all" in capsys.readouterr().err


def test_the_times_of_lines_are_kept(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = kfnb.submit(compiled, {"a": 1}).wait(60)
    (line,) = [line for line in run.excerpt("divide") if line.text.startswith("dividing")]
    task = run.tasks["divide"]
    assert line.at is not None
    assert task.started - 1 <= line.at <= task.finished + 1
    timeline = compiled.parent / "home" / "runs" / run.id / "timeline"
    timeline.write_text(
        "".join(f"{' '.join(row.split()[:2])}\n" for row in timeline.read_text().splitlines())
    )
    assert next(one.at for one in run.excerpt("divide")) is None  # as older versions wrote it
    assert run.logs("divide", since="1h").startswith("dividing 1 2")
