"""``kf.report``: learning curves, and trials without a prospect that end early."""

from local_studies import Start

from kfnb.resources.studies.model import TrialState

MEDIAN = {"early_stopping": "median", "settings": {"min_trials_required": 2, "start_step": 1}}
CURVE = """
for epoch in range(8):
    loss = x / (epoch + 1)
    kf.report(loss, step=epoch)
"""


def test_what_is_reported_is_the_trials_curve(start: Start) -> None:
    study = start(CURVE, trials=2).wait(60)
    for trial in study.trials:
        assert trial.curve == tuple((epoch, trial.params["x"] / (epoch + 1)) for epoch in range(8))
        assert trial.value == trial.curve[-1][1]


def test_a_value_with_the_objectives_name_is_reported_too(start: Start) -> None:
    study = start("kf.report(loss=x, other=1, step=3)\nloss = x", trials=1).wait(60)
    assert study.trials[0].curve == ((3, study.trials[0].params["x"]),)


def test_reports_without_a_step_are_counted(start: Start) -> None:
    study = start("kf.report(x)\nkf.report(x)\nloss = x", trials=1).wait(60)
    assert [step for step, _ in study.trials[0].curve] == [0, 1]


def test_threads_of_a_trial_may_report_at_once(start: Start) -> None:
    body = """
from threading import Thread
def work(first):
    for step in range(first, first + 50):
        kf.report(x, step=step)
threads = [Thread(target=work, args=(first,)) for first in (0, 50, 100, 150)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
loss = x
"""
    study = start(body, trials=2).wait(60)
    for trial in study.trials:
        assert sorted(step for step, _ in trial.curve) == list(range(200))


def test_what_another_process_of_a_trial_reports_is_not_heard_and_its_log_says_so(start: Start) -> None:
    body = """
import multiprocessing
def work(step):
    kf.report(x, step=step)
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(work, range(50))
kf.report(x, step=7)
loss = x
"""
    study = start(body, trials=1, early_stopping="median").wait(60)
    assert study.trials[0].curve == ((7, study.trials[0].params["x"]),)
    assert "report works in the trial's own process only" in study.logs(0)


def test_the_last_report_is_the_objective_of_a_cell_that_assigns_none(start: Start) -> None:
    study = start("kf.report(x + 1)\nkf.report(x)", trials=2).wait(60)
    assert all(trial.value == trial.params["x"] for trial in study.trials)


def test_trials_without_a_prospect_end_early_with_their_last_value(start: Start) -> None:
    study = start(CURVE, trials=12, **MEDIAN).wait(60)
    stopped = [trial for trial in study.trials if trial.state is TrialState.EARLY_STOPPED]
    assert stopped
    assert all(len(trial.curve) < 8 for trial in stopped)
    assert all(trial.value == trial.curve[-1][1] for trial in stopped)
    assert study.best.state is TrialState.SUCCEEDED


def test_a_step_that_catches_exceptions_does_not_keep_its_trial(start: Start) -> None:
    body = f"""
try:
    {CURVE.strip().replace(chr(10), chr(10) + "    ")}
except Exception:
    print("kept")
loss = x
"""
    study = start(body, trials=12, **MEDIAN).wait(60)
    stopped = [trial for trial in study.trials if trial.state is TrialState.EARLY_STOPPED]
    assert stopped
    assert all("kept" not in study.logs(trial.number) for trial in stopped)


def test_even_a_step_that_catches_everything_ends_early(start: Start) -> None:
    body = """
for epoch in range(8):
    try:
        kf.report(x, step=epoch)
    except:
        pass
loss = x
"""
    study = start(body, trials=12, **MEDIAN).wait(60)
    assert any(trial.state is TrialState.EARLY_STOPPED for trial in study.trials)


def test_without_early_stopping_no_trial_ends_early(start: Start) -> None:
    study = start(CURVE, trials=8).wait(60)
    assert {trial.state for trial in study.trials} == {TrialState.SUCCEEDED}


def test_a_report_that_is_no_number_fails_the_trial(start: Start) -> None:
    study = start("if x > 0.5:\n    kf.report('much')\nloss = x", trials=8).wait(60)
    failed = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert failed
    assert failed[0].error.message == "TypeError: loss must be a number, not 'much'"


def test_a_report_outside_of_a_study_is_logged_like_a_metric(shell) -> None:
    shell.run(
        "%%kf_component train --output loss\nfor e in range(3):\n    kf.report(0.5, step=e)\nloss = 0.5"
    )
    shell.run("%kf_pipeline churn train")
    run = shell.submit("churn")
    artifact = run.artifacts["train"]["kf_metrics"]
    assert artifact.metadata["kfnb_curves"] == {"value": [[0, 0.5], [1, 0.5], [2, 0.5]]}


def test_a_step_below_0_is_reported_and_ends_no_trial(start: Start) -> None:
    body = "for epoch in range(-2, 2):\n    kf.report(x, step=epoch)\nloss = x"
    study = start(body, early_stopping="median").wait(60)
    assert study.trials[0].state is TrialState.SUCCEEDED
    assert [step for step, _ in study.trials[0].curve] == [-2, -1, 0, 1]
