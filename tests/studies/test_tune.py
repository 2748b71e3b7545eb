"""``%%kf_tune``, ``%kf_tune`` and their like, as a notebook's user types them."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import kfnb
from kfnb.entities import RunState
from kfnb.errors import StudyFailed, UsageError
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.model import StudyPlot, TrialState
from kfnb.settings import settings
from tests.conftest import Shell

SPACE = "--space 'x=float(0,1)'"
BOWL = f"%%kf_tune bowl {SPACE} --objective loss --minimize --trials 4 --seed 1"
TRAIN = "%%kf_component train --param x:float=0.5 --output loss\nloss = (x - 0.3) ** 2\nkf.log_metrics(acc=1 - loss)"
LOAD = "%%kf_component load --param rows:int=3\nimport pandas as pd\ndf = pd.DataFrame({'a': [1.0] * rows})"


def test_the_cell_is_the_trial_and_does_not_run_here(shell: Shell) -> None:
    study = shell.run(f"{BOWL}\nloss = (x - 0.3) ** 2")
    assert study.state is RunState.SUCCEEDED
    assert len(study.trials) == 4
    assert not {"x", "loss"} & set(shell.ip.user_ns)


def test_the_study_is_bound_before_it_is_waited_for(shell: Shell) -> None:
    result = shell.ip.run_cell(f"{BOWL} -o study\n1 / 0\nloss = x")
    assert isinstance(result.error_in_exec, StudyFailed)
    assert shell["study"].state is RunState.FAILED


def test_a_traceback_names_the_notebooks_line_under_a_head_of_several_lines(shell: Shell) -> None:
    shell.ip.run_cell(
        f"%%kf_tune bowl --objective loss --minimize \\\n  {SPACE} --trials 1 -o study\n\n1 / 0\nloss = x"
    )
    (trial,) = shell["study"].trials
    assert trial.error.place.endswith("line 4")


def test_what_the_cell_reads_comes_from_the_components_before(shell: Shell) -> None:
    shell.run(LOAD)
    shell.run("FACTOR = 2\ndef twice(value):\n    return FACTOR * value")
    study = shell.run(f"{BOWL} -p rows 5\nloss = twice(x) * 0 + df.shape[0]")
    assert {trial.value for trial in study.trials} == {5.0}


def test_a_trial_reads_files_beside_the_notebook_and_those_of_components(shell: Shell) -> None:
    Path("data").mkdir()
    Path("data/train.txt").write_text("2")
    shell.run('DATA = "data"\nimport os')
    shell.run('%%kf_component prepare\nwith open("out.txt", "w") as file:\n    file.write("3")')
    read = 'loss = float(open(os.path.join(DATA, "train.txt")).read()) + float(open("out.txt").read())'
    study = shell.run(f"{BOWL}\n{read} + 0 * x\nopen('out.txt', 'w').write('7')")
    assert {trial.value for trial in study.trials} == {5.0}
    assert Path("out.txt").read_text() == "3"


@pytest.mark.parametrize("earlier", ["%%kf_component old\nloss = 0.0", "loss = 0.0", "loss = 0.0 + 1"])
def test_an_objective_that_a_trial_does_not_assign_is_not_what_it_was_before(
    shell: Shell, earlier: str
) -> None:
    shell.run(earlier)
    shell.run(
        "%%kf_tune s --space 'x=choice(1,2)' --objective loss --minimize --algorithm grid -o s\nif x > 1:\n    loss = x"
    )
    assert [trial.state for trial in shell["s"].trials] == [
        TrialState.METRICS_UNAVAILABLE,
        TrialState.SUCCEEDED,
    ]


def test_a_plain_cell_that_follows_is_not_taken_for_the_trials(shell: Shell) -> None:
    shell.run("%%kf_component load\nbase = 1.0")
    shell.run(f"{BOWL}\nbase = 5.0\nloss = x + base")
    shell.run("%%kf_component use --output y\ny = base + 1")
    shell.run("%kf_pipeline p load use")
    assert shell.submit("p").outputs["use"]["y"] == 2.0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (f"%%kf_tune bowl {SPACE} --minimize\nloss = x", "--objective is required"),
        (f"%%kf_tune bowl {SPACE} --objective loss\nloss = x", "--minimize or --maximize is required"),
        (f"{BOWL} --maximize\nloss = x", "--minimize and --maximize are both given: choose one"),
        ("%%kf_tune bowl --objective loss --minimize\nloss = x", "--space is required"),
        (f"{BOWL} --algorithm tpee\nloss = x", "did you mean tpe?"),
        (f"{BOWL} --setting sigma=1\nloss = x", "auto has no setting sigma"),
        (f"{BOWL} --setting sigma\nloss = x", "write NAME=VALUE"),
        (f"{BOWL} --parallel 0\nloss = x", "parallel=0: give a whole number from 1 on"),
        (f"{BOWL} --seed -5\nloss = x", "seed=-5: give a number from 0 to 4294967295"),
        (f"{BOWL} --goal nan\nloss = x", "goal=nan: give a finite number"),
        (
            f"%%kf_tune {'a' * 64} {SPACE} --objective loss --minimize\nloss = x",
            "a study's name has at most 63",
        ),
        (
            "%%kf_tune bowl --space _ih --objective loss --minimize\nloss = x",
            "a space must be a string, a dict or a function",
        ),
        (f"{BOWL}\nlos = x", "neither assigns loss nor logs metrics; did you mean los?"),
        (f"{BOWL}\nloss = 1", "x is in the space, and cell bowl [2] does not read it"),
        (f"{BOWL}\nx = 1\nloss = x", "x is in the space, and cell bowl [2] assigns it itself"),
        (f"{BOWL}\nloss = x + missing", "missing is not defined by any cell"),
        (f"{BOWL}\ndef bowl(x: float) -> float:\n    return x", "a trial is plain code, not a function"),
        ("%%kf_tune bowl --space spaces --objective loss --minimize\nloss = x", "spaces is not defined"),
        (f"{BOWL} --dry-run\nloss = x", "requires --backend kubeflow"),
        (f"%%kf_tune train {SPACE} --objective loss --minimize\nloss = x", "train is a component already"),
        (f"%kf_tune train {SPACE} --objective los --minimize --early-stopping mean", "did you mean median?"),
        (f"%kf_tune trian {SPACE} --objective loss --minimize", "did you mean the component train?"),
        ("%kf_tune train --space 'y=float(0,1)' --objective loss --minimize", "train has no parameter y"),
        (
            "%kf_tune train --space 'x=choice(a,b)' --objective loss --minimize",
            "x is float in train, and str",
        ),
        ("%kf_study nothing", "unknown study nothing"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(shell: Shell, cell: str, said: str) -> None:
    shell.run(TRAIN)
    assert said in shell.fails(cell)
    assert list(kfnb.studies()) == []


@pytest.mark.parametrize("how", ["seed", "goal", "timeout", "trials", "parallel", "max_failed"])
@pytest.mark.parametrize("odd", [True, "3", float("nan")])
def test_what_is_no_number_where_one_is_wanted_is_said_in_a_program_too(
    shell: Shell, how: str, odd: object
) -> None:
    shell.run(TRAIN)
    with pytest.raises(UsageError, match=rf"{how}=.*: give|is not a duration"):
        kfnb.tune("train", "x=float(0,1)", objective="loss", maximize=False, **{how: odd})


def test_a_parameter_of_the_space_that_a_step_before_takes_is_refused(shell: Shell) -> None:
    shell.run(LOAD)
    cell = "%%kf_tune s --space 'rows=int(1,9)' --objective loss --minimize\nloss = df.shape[0] + rows"
    assert "rows is a parameter of load, which runs once for all trials" in shell.fails(cell)


def test_a_space_may_be_a_dict_or_a_function_of_the_notebook(shell: Shell) -> None:
    shell.run("grid = {'x': [0.1, 0.2]}")
    study = shell.run("%%kf_tune s --space grid --objective loss --minimize --algorithm grid\nloss = x")
    assert [trial.params for trial in study.trials] == [{"x": 0.1}, {"x": 0.2}]
    shell.run("BEST = 0.1\ndef space(trial):\n    if trial.choice('k', ['a', 'b']) == 'a':\n"
              "        trial.float('x', BEST, 1)")  # fmt: skip
    study = shell.run(
        "%%kf_tune t --space space --objective loss --minimize --trials 6\nloss = x if k == 'a' else 2"
    )
    assert all(("x" in trial.params) == (trial.params["k"] == "a") for trial in study.trials)
    conditions = {one.name: one.condition for one in study.snapshot().space}
    assert set(conditions) == {"k", "x"}


def test_a_component_is_tuned_after_what_it_needs(shell: Shell) -> None:
    shell.run(LOAD)
    shell.run("%%kf_component fit --param x:float=0.5\nloss = (x - 0.3) ** 2 + df.shape[0]")
    study = shell.run(f"%kf_tune fit {SPACE} --objective loss --minimize --trials 3 --rows 1 --study fits")
    assert study.name == "fits"
    assert all(trial.value >= 1 and not trial.run for trial in study.trials)


def test_a_pipeline_is_tuned_by_runs_in_an_experiment_of_the_studys_name(shell: Shell) -> None:
    shell.run(LOAD)
    shell.run(TRAIN)
    shell.run("%kf_pipeline churn load train")
    study = shell.run(
        f"%kf_tune churn --study sweep {SPACE} --objective train.acc --maximize --metric train.loss"
        " --trials 3 --parallel 2 --rows 1 --seed 1"
    )
    runs = [kfnb.run(trial.run) for trial in study.trials]
    assert {run.snapshot().experiment for run in runs} == {"sweep"}
    for trial, run in zip(study.trials, runs, strict=True):
        assert run.arguments["x"] == trial.params["x"]
        assert run.arguments["rows"] == 1
        assert trial.value == run.metrics["train"]["acc"]
        assert trial.metrics == {"train.loss": run.outputs["train"]["loss"]}


def test_one_metric_may_be_named_without_a_list(shell: Shell) -> None:
    shell.run("%%kf_component train --param x:float=0.9 --output loss --output size\nloss = x\nsize = 2 * x")
    shell.run("%kf_pipeline churn train")
    how = {"objective": "train.loss", "maximize": False, "metrics": "train.size"}
    study = kfnb.tune("churn", "x=float(0,1)", trials=1, **how).wait(60)
    assert study.best.metrics == {"train.size": 2 * study.best.value}
    with pytest.raises(UsageError, match="trials='5': give a whole number from 1 on"):
        kfnb.tune("churn", "x=float(0,1)", trials="5", **how)


def test_a_run_that_fails_is_a_failed_trial_with_its_place(shell: Shell) -> None:
    shell.run(
        "%%kf_component train --param x:float=0.9 --output loss\nif x < 0.5:\n    raise ValueError('no')\nloss = x"
    )
    shell.run("%kf_pipeline churn train")
    study = shell.run(f"%kf_tune churn {SPACE} --objective loss --minimize --trials 6 --seed 1")
    failed = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert failed
    assert failed[0].error.message == "ValueError: no"
    assert failed[0].error.place.endswith("line 3")


def test_an_objective_that_no_task_has_is_refused_with_a_close_one(shell: Shell) -> None:
    shell.run("%%kf_component train --param x:float=0.9 --output loss\nloss = x")
    shell.run("%kf_pipeline churn train")
    base = f"%kf_tune churn {SPACE} --minimize --objective"
    assert "churn has no task trai; did you mean train?" in shell.fails(f"{base} trai.loss")
    assert "task train has no output los; did you mean loss?" in shell.fails(f"{base} train.los")
    assert "there are train.loss (an output exists only" in shell.fails(f"{base} accuracy")
    assert "churn has no output accuracy; there are train.loss" in shell.fails(f"{base} accuracy")
    assert "too late to stop early" in shell.fails(f"{base} loss --early-stopping median")


def test_a_run_from_a_study_has_its_best_parameters_and_says_so(shell: Shell) -> None:
    shell.run(TRAIN)
    shell.run("%kf_pipeline churn train")
    study = shell.run(f"%kf_tune train {SPACE} --study sweep --objective loss --minimize --trials 4 -o held")
    run = shell.run("%kf_submit churn --from-study sweep")
    assert run.arguments["x"] == study.best.params["x"]
    assert run.snapshot().notes == (f"arguments from study sweep, trial {study.best.number}",)
    assert run.snapshot().environment["study"] == f"sweep, trial {study.best.number}"
    other = shell.run("%kf_submit churn --from-study held --x 0.25")
    assert other.arguments["x"] == 0.25
    assert "study" not in other.snapshot().environment
    named = {row.name: row.values for row in kfnb.compare(run, kfnb.submit("churn").wait()).environment}
    assert named["study"] == (f"sweep, trial {study.best.number}", None)


SLOW = "%%kf_component train --param x:float=0.5 --output loss\nimport time\ntime.sleep(0.3)\nloss = (x - 0.3) ** 2"


def test_under_run_all_a_run_waits_for_the_study_that_it_takes_the_best_of(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run(SLOW)
    shell.run("%kf_pipeline churn train")
    study = kfnb.tune("train", "x=float(0,1)", objective="loss", maximize=False, name="sweep", trials=4)
    assert not study.state.finished
    run = shell.run("%kf_submit churn --from-study sweep")
    assert "of 4 trials): waiting until it ends" in capsys.readouterr().out
    assert len(study.trials) == 4
    assert run.arguments["x"] == study.best.params["x"]


def test_waiting_for_a_study_is_left_by_an_interrupt_and_the_study_goes_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run(SLOW)
    shell.run("%kf_pipeline churn train")
    study = kfnb.tune("train", "x=float(0,1)", objective="loss", maximize=False, name="sweep", trials=40)
    wait = Study.wait

    def interrupted(self: Study, timeout: float | None = None) -> Study:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        return wait(self, timeout)

    monkeypatch.setattr(Study, "wait", interrupted)
    result = shell.ip.run_cell("%kf_submit churn --from-study sweep")
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert "sweep" in str(result.error_in_exec)
    assert not study.state.finished
    study.stop()


def test_what_is_wrong_with_a_pipeline_is_told_before_its_study_is_waited_for(shell: Shell) -> None:
    shell.run(SLOW)
    study = kfnb.tune("train", "x=float(0,1)", objective="loss", maximize=False, name="sweep", trials=40)
    assert "unknown pipeline churn" in shell.fails("%kf_submit churn --from-study sweep")
    assert not study.state.finished
    study.stop()


def test_a_study_none_of_whose_parameters_fit_is_refused(shell: Shell) -> None:
    shell.run(TRAIN)
    shell.run("%%kf_component other --param z:int=1\ny = z")
    shell.run("%kf_pipeline churn other")
    shell.run(f"%kf_tune train {SPACE} --study sweep --objective loss --minimize --trials 2")
    assert "none of the parameters of study sweep (x) is one of churn's (z)" in shell.fails(
        "%kf_submit churn --from-study sweep"
    )


def test_studies_are_shown_stopped_resumed_and_deleted_by_name(shell: Shell, capsys) -> None:
    shell.run(f"{BOWL}\nprint('trying')\nloss = x")
    assert [study.name for study in shell.run("%kf_studies")] == ["bowl"]
    assert len(shell.run("%kf_study bowl --resume --trials 2").trials) == 6
    capsys.readouterr()
    shell.run("%kf_study bowl --logs 3")
    assert capsys.readouterr().out == "trying\n"
    shell.run("%kf_study bowl --stop")
    assert "--trials requires --resume" in shell.fails("%kf_study bowl --trials 2")
    shell.run("%kf_study bowl --delete")
    assert list(shell.run("%kf_studies")) == []


def test_a_study_gives_a_table_and_charts(shell: Shell) -> None:
    study = shell.run(f"{BOWL} --trials 8\nloss = x")
    frame = study.to_frame()
    assert list(frame["trial"]) == list(range(8))
    assert list(frame["value"]) == list(frame["param.x"])
    plots = study.plot
    charts = [plots(), plots.parallel(), plots.slices(), plots.importances(), plots.curves()]
    assert all(isinstance(plot, StudyPlot) for plot in charts)
    assert [plot.chart for plot in charts] == ["history", "parallel", "slices", "importances", "curves"]
    assert plots.importances().study.importances == {"x": 1.0}
    assert study.snapshot().importances == {}
    bundle = shell.ip.display_formatter.format(plots.history())[0]
    assert "text/html" in bundle


def test_a_components_objective_may_be_named_by_its_task(shell: Shell) -> None:
    shell.run(TRAIN)
    study = shell.run(
        f"%kf_tune train {SPACE} --objective train.loss --metric train.acc --minimize --trials 2"
    )
    assert study.snapshot().objective.metric == "loss"
    assert all(set(trial.metrics) == {"acc"} for trial in study.trials)


def test_a_metric_that_is_asked_for_twice_is_kept_once(shell: Shell) -> None:
    shell.run(TRAIN)
    words = "--objective loss --metric acc --metric train.acc --metric loss --minimize --trials 2"
    assert shell.run(f"%kf_tune train {SPACE} {words}").snapshot().objective.further == ("acc",)


def test_an_environment_variable_of_a_component_is_there_in_its_trials(shell: Shell) -> None:
    shell.run(
        "%%kf_component train --param x:float=0.5 --env SCALE=3\nimport os\nloss = x * int(os.environ['SCALE'])"
    )
    study = shell.run(f"%kf_tune train {SPACE} --objective loss --minimize --trials 2")
    assert all(trial.value == trial.params["x"] * 3 for trial in study.trials)


def test_a_study_of_runs_is_stopped_with_its_runs(shell: Shell) -> None:
    shell.run("%%kf_component nap --param x:float=0.0 --output y\nimport time\ntime.sleep(x * 60)\ny = x")
    shell.run("%kf_pipeline naps nap")
    study = kfnb.tune("naps", "x=float(0.5,1)", objective="nap.y", maximize=True, trials=9, parallel=2)
    _wait(lambda: [trial for trial in study.trials if trial.run])
    begun = time.monotonic()
    study.stop()
    _wait(lambda: study.state.finished)
    assert time.monotonic() - begun < 5
    assert study.state is RunState.CANCELED
    assert {kfnb.run(trial.run).state for trial in study.trials} == {RunState.CANCELED}


def test_the_runs_of_a_study_end_when_its_driver_is_killed(shell: Shell) -> None:
    shell.run("%%kf_component nap --param x:float=0.0 --output y\nimport time\ntime.sleep(x * 60)\ny = x")
    shell.run("%kf_pipeline naps nap")
    study = kfnb.tune("naps", "x=float(0.5,1)", objective="nap.y", maximize=True, trials=9)
    _wait(lambda: [trial for trial in study.trials if trial.run])
    pid = int((Path(settings().home) / "studies" / "naps" / "supervisor.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    _wait(lambda: study.state.finished)
    _wait(lambda: all(kfnb.run(trial.run).state.finished for trial in study.trials))
    assert {trial.state for trial in study.trials} == {TrialState.KILLED}


def _wait(look, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_function_component_is_tuned_by_its_result(shell: Shell) -> None:
    shell.run(
        "%%kf_component bowl\ndef bowl(x: float, y: float = 1.0) -> float:\n    return (x - 0.3) ** 2 + y"
    )
    study = shell.run(f"%kf_tune bowl {SPACE} --objective Output --minimize --trials 3")
    assert all(trial.value == pytest.approx((trial.params["x"] - 0.3) ** 2 + 1) for trial in study.trials)


def test_a_component_that_reads_a_large_file_beside_the_notebook_is_tuned(shell: Shell) -> None:
    Path("big.bin").write_bytes(os.urandom(100_000))
    shell.run(
        "%%kf_component train --param x:float=0.5 --output loss\nwith open('big.bin', 'rb') as f:\n"
        "    loss = x + len(f.read())"
    )
    study = shell.run(f"%kf_tune train {SPACE} --objective loss --minimize --trials 2 --seed 1")
    assert {int(trial.value) for trial in study.trials} == {100_000}
