"""What becomes of a trial: its value, or in words why there is none."""

import os

import pytest
from local_studies import Start, folder_of

import kfnb
from kfnb.entities import RunState
from kfnb.errors import StudyFailed
from kfnb.resources.studies.model import TrialState


def test_the_best_trial_is_the_one_with_the_least_loss(start: Start) -> None:
    study = start("loss = (x - 0.3) ** 2", trials=8, parallel=2).wait(60)
    assert study.state is RunState.SUCCEEDED
    values = [trial.value for trial in study.trials]
    assert len(values) == 8
    assert study.best.value == min(values)
    assert study.best.value == pytest.approx((study.best.params["x"] - 0.3) ** 2)


def test_to_maximize_is_the_other_way(start: Start) -> None:
    study = start("acc = x", objective="acc", maximize=True).wait(60)
    assert study.best.value == max(trial.value for trial in study.trials)


def test_the_same_seed_gives_the_same_trials(start: Start) -> None:
    body = "import random\nloss = x + random.random()"
    one, two = start(body, name="one", seed=7).wait(60), start(body, name="two", seed=7).wait(60)
    assert [trial.value for trial in one.trials] == [trial.value for trial in two.trials]


def test_further_metrics_are_kept(start: Start) -> None:
    study = start("loss = x\nsize = 3", metrics=["size"]).wait(60)
    assert [trial.metrics for trial in study.trials] == [{"size": 3.0}] * 4


def test_a_metric_may_be_logged_instead_of_assigned(start: Start) -> None:
    study = start("kf.log_metrics(loss=x)").wait(60)
    assert study.best.value == study.best.params["x"]


def test_a_trial_gets_a_namespace_of_its_own(start: Start) -> None:
    study = start("seen = [*globals().get('seen', []), 1]\nloss = x * 0 + len(seen)").wait(60)
    assert {trial.value for trial in study.trials} == {1.0}


@pytest.mark.parametrize(
    "body",
    [
        "import sys\nsys.stdout.close()",
        "import os\nos.close(1)\nos.close(2)",
        "import sys\nsys.stdout = sys.stderr = object()",
        "import logging\nlogging.disable()\nlogging.getLogger().handlers.clear()",
    ],
)
def test_what_a_trial_does_to_its_streams_harms_neither_it_nor_the_next(start: Start, body: str) -> None:
    study = start(f"print('x is', x)\n{body}\nloss = x", trials=3).wait(60)
    assert [trial.state for trial in study.trials] == [TrialState.SUCCEEDED] * 3
    assert all(f"x is {trial.params['x']}" in study.logs(trial.number) for trial in study.trials[1:])


def test_a_log_is_in_the_order_in_which_it_was_written(start: Start) -> None:
    study = start(
        "import logging\nprint('one')\nlogging.info('two')\nprint('three')\nloss = x", trials=2
    ).wait(60)
    for trial in study.trials:
        said = study.logs(trial.number)
        assert said.index("one") < said.index("two") < said.index("three")


def test_what_a_trial_does_to_its_input_is_not_seen_by_the_next(shell, start: Start) -> None:
    shell.run("%%kf_component load\nimport pandas as pd\ndf = pd.DataFrame({'a': [1.0]})\nnames = ['a']")
    body = "df['b'] = x\nnames.append('b')\nloss = x * 0 + df.shape[1] + len(names)"
    study = start(body).wait(120)
    assert {trial.value for trial in study.trials} == {4.0}


def test_what_stands_before_the_trial_runs_once(shell, start: Start, tmp_path) -> None:
    shell.run(
        f"%%kf_component load --no-cache\nwith open({str(tmp_path / 'ran')!r}, 'a') as file:\n"
        "    _ = file.write('1')\nbase = 2.0"
    )
    (tmp_path / "ran").write_text("")
    study = start("loss = base + x", parallel=2).wait(120)
    assert len(study.trials) == 4
    assert (tmp_path / "ran").read_text() == "1"


def test_a_trial_that_fails_is_a_failed_trial_with_its_place_in_the_cell(start: Start) -> None:
    study = start("\nif x < 0.5:\n    raise ValueError('too small')\nloss = x", trials=8).wait(60)
    broken = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert broken
    assert all(trial.params["x"] < 0.5 for trial in broken)
    error = broken[0].error
    assert error.message == "ValueError: too small"
    assert error.place.endswith("line 4")
    assert "worker.py" not in error.traceback
    assert "too small" in study.logs(broken[0].number)


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        ("loss = x * float('nan')", TrialState.METRICS_UNAVAILABLE, "loss is nan: an objective is a finite"),
        ("loss = [x]", TrialState.FAILED, "(list): an objective is a number"),
        ("loss = str(x)", TrialState.FAILED, "(str): an objective is a number"),
        ("loss = x > 0", TrialState.FAILED, "True (bool): an objective is a number"),
        ("if x > 2:\n    loss = x", TrialState.METRICS_UNAVAILABLE, "had not assigned"),
        ("kf.log_metrics(other=x)", TrialState.METRICS_UNAVAILABLE, "it ended without loss"),
        ("loss = 10 ** (400 + int(x))", TrialState.FAILED, "OverflowError: int too large"),
        ("import sys\nsys.exit(3)\nloss = x", TrialState.FAILED, "the step exited with sys.exit(3)"),
    ],
)
def test_a_trial_without_a_number_says_so(start: Start, body: str, state: TrialState, said: str) -> None:
    study = start(body, trials=1)
    with pytest.raises(StudyFailed, match="no trial came to a value; trial 0"):
        study.wait(60)
    (trial,) = study.trials
    assert trial.state is state
    assert said in trial.error.message


def test_a_killed_worker_is_a_failed_trial_and_another_one_goes_on(start: Start) -> None:
    body = "import os\nif x < 0.5:\n    os.kill(os.getpid(), 9)\nloss = x"
    study = start(body, trials=8, parallel=2).wait(60)
    failed = {trial.number for trial in study.trials if trial.params["x"] < 0.5}
    assert failed
    assert {trial.number for trial in study.trials if trial.state is TrialState.FAILED} == failed
    assert "SIGKILL" in study.trials[min(failed)].error.message


def test_what_a_trial_prints_is_in_its_own_log(start: Start) -> None:
    study = start("print('x is', x)\nloss = x", parallel=2).wait(60)
    for trial in study.trials:
        assert study.logs(trial.number) == f"x is {trial.params['x']}"


def test_as_many_failed_trials_as_katib_would_take_end_the_study(start: Start) -> None:
    study = start("1 / 0\nloss = x", trials=50, max_failed=2)
    with pytest.raises(
        StudyFailed, match="2 of the trials failed, --max-failed is 2; trial 1: ZeroDivisionError"
    ):
        study.wait(60)
    assert len(study.trials) == 2


def test_a_trial_that_reaches_the_goal_ends_the_study(start: Start) -> None:
    study = start("loss = x", trials=500, goal=0.5).wait(60)
    assert len(study.trials) < 100
    assert study.snapshot().reason == "goal reached"


def test_the_timeout_ends_the_study_and_its_trials(start: Start) -> None:
    study = start(
        "import time\nif x < 0.5:\n    time.sleep(60)\nloss = x", trials=None, timeout=2, parallel=2
    )
    study.wait(60)
    assert study.snapshot().reason == "the time is up"
    assert {trial.state for trial in study.trials} <= {TrialState.SUCCEEDED, TrialState.KILLED}


def test_a_study_whose_time_was_up_before_any_value_says_so(start: Start) -> None:
    study = start("import time\ntime.sleep(60)\nloss = x", timeout=1)
    with pytest.raises(StudyFailed, match="no trial came to a value: the time is up"):
        study.wait(60)
    with pytest.raises(StudyFailed, match=r"study s has no trial with a value$"):
        study.best  # noqa: B018 - it is asked for


def test_a_grid_is_tried_to_its_end(start: Start) -> None:
    space = "x=float(0,1,step=0.5) c=choice(a,b)"
    study = start("loss = x + len(c)", space, algorithm="grid", trials=None, parallel=2).wait(60)
    assert sorted((t.params["x"], t.params["c"]) for t in study.trials) == [
        (x, c) for x in (0.0, 0.5, 1.0) for c in "ab"
    ]


@pytest.mark.parametrize("algorithm", ["auto", "random", "tpe", "multivariate-tpe", "cmaes", "sobol"])
def test_every_algorithm_searches_all_kinds(start: Start, algorithm: str) -> None:
    space = "x=float(0,1) lr=log(1e-4,1) n=int(1,9) c=choice(a,b)"
    study = start("loss = x + lr + n + len(c)", space, algorithm=algorithm, trials=6, parallel=2).wait(60)
    assert len(study.trials) == 6
    for trial in study.trials:
        assert 0 <= trial.params["x"] <= 1
        assert 1e-4 <= trial.params["lr"] <= 1
        assert trial.params["n"] in range(1, 10)
        assert trial.params["c"] in ("a", "b")


def test_hyperband_runs_the_better_ones_longer(start: Start) -> None:
    settings = {"resource_name": "n", "eta": 3}
    study = start(
        "loss = x / n", "x=float(0,1) n=int(1,9)", algorithm="hyperband", settings=settings, trials=13
    ).wait(60)
    assert [trial.params["n"] for trial in study.trials] == [1] * 9 + [3] * 3 + [9]


def test_a_parameter_under_a_condition_is_asked_for_where_that_holds(start: Start) -> None:
    def space(trial):
        if trial.choice("kind", ["a", "b"]) == "a":
            trial.float("x", 0, 1)

    study = start("loss = x if kind == 'a' else 2.0", space, trials=10).wait(60)
    assert {trial.params["kind"] for trial in study.trials} == {"a", "b"}
    for trial in study.trials:
        assert ("x" in trial.params) == (trial.params["kind"] == "a")


def test_a_study_of_the_same_name_takes_the_name_of_one_that_has_ended(start: Start) -> None:
    start("loss = x").wait(60)
    start("loss = x + 1", trials=2).wait(60)
    assert len(kfnb.study("s").trials) == 2
    assert len(kfnb.study("s-1").trials) == 4
    assert folder_of(kfnb.study("s-1")).path.is_dir()


def test_a_module_beside_the_notebook_travels_with_the_trial(shell, start: Start, tmp_path) -> None:
    (tmp_path / "besides.py").write_text("def doubled(value):\n    return 2 * value\n")
    shell.run("import besides")
    study = start("import os\nos.chdir('/')\nloss = besides.doubled(x)").wait(60)
    assert all(trial.value == 2 * trial.params["x"] for trial in study.trials)


def test_what_a_trial_warns_of_is_in_its_log(start: Start) -> None:
    study = start("import warnings\nwarnings.warn('look out', stacklevel=1)\nloss = x", trials=1).wait(60)
    assert "look out" in study.logs(0)


def test_where_what_stands_before_fails_the_study_says_so(shell, start: Start) -> None:
    shell.run("%%kf_component load --param limit:int=1\nbase = 1 / limit")
    with pytest.raises(StudyFailed, match=r"the steps before s failed .*ZeroDivisionError"):
        start("loss = base + x", arguments={"limit": 0}).wait(60)


def test_a_space_that_fails_in_the_midst_of_a_study_ends_it_in_words(start: Start) -> None:
    def space(trial):
        trial.float("x", 0, 1)
        if os.environ.get("KFNB_OBJECTIVE"):  # it searches
            raise ValueError("no luck")

    with pytest.raises(StudyFailed, match="the space's function fails: ValueError: no luck"):
        start("loss = x", space).wait(60)


def test_a_space_that_asks_for_a_name_which_nobody_knew_of_ends_the_study_in_words(start: Start) -> None:
    def space(trial):
        trial.float("x", 0, 1)
        if os.environ.get("KFNB_OBJECTIVE"):
            trial.float("rare", 0, 1)

    with pytest.raises(StudyFailed, match="asks for rare, which it did not in any trial that was made up"):
        start("loss = x", space).wait(60)
