"""What every engine of studies must do: a new one passes these by a row in ``study_engines.ENGINES``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from study_engines import ENGINES, Studies, until

from kfnb.entities import RunState
from kfnb.errors import BackendError, StudyFailed, StudyNotFound
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.model import Objective, TrialState
from kfnb.resources.studies.model import StudySnapshot as Seen

LIVING = (RunState.PENDING, RunState.RUNNING)


@pytest.fixture(params=ENGINES)
def studies(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Studies]:
    """Each engine."""
    with ENGINES[request.param](tmp_path) as found:
        yield found


def finished(studies: Studies, name: str) -> Seen:
    """The study as it ended."""
    return until(lambda: (now := studies.engine.get(name)).state.finished and now)


def at_work(studies: Studies, name: str) -> None:
    """Wait until a trial of the study runs."""
    until(lambda: any(one.state is TrialState.RUNNING for one in studies.engine.get(name).trials))


def test_a_study_is_there_as_soon_as_it_is_started(studies: Studies) -> None:
    studies.close()
    search = studies.search(parallel=2, max_failed=2, objective=Objective("loss", goal=0.001))
    studies.engine.start(search)
    assert studies.engine.find("bowl") == "bowl"
    study = studies.engine.get("bowl")
    assert study.state in LIVING
    assert (study.name, study.backend, study.subject) == ("bowl", studies.engine.name, "dip")
    assert (study.space, study.objective, study.algorithm) == (search.space, search.objective, "grid")
    assert (study.max_trials, study.max_failed, study.parallel) == (3, 2, 2)
    assert study.created is not None
    assert (study.finished, study.error, study.best) == (None, "", None)


def test_who_looks_sees_each_trial_until_the_end_and_nothing_after_it(studies: Studies) -> None:
    observed, seen = studies.engine.observe(studies.start()), set()
    while not observed.over:
        seen |= observed.refresh()
        time.sleep(0.02)
    seen |= observed.refresh()
    assert seen == {-1, 0, 1, 2}
    assert observed.refresh() == set()
    assert observed.study == studies.engine.get("bowl")


def test_a_study_that_is_done_has_its_trials_and_the_best_of_them(studies: Studies) -> None:
    study = finished(studies, studies.start(max_trials=5))
    assert (study.state, study.error) == (RunState.SUCCEEDED, "")
    assert [one.number for one in study.trials] == [0, 1, 2, 3, 4]
    assert {one.state for one in study.trials} == {TrialState.SUCCEEDED}
    assert sorted(one.params["x"] for one in study.trials) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert all(one.value == (one.params["x"] - 0.25) ** 2 for one in study.trials)
    assert all(one.started and one.finished and one.started <= one.finished for one in study.trials)
    assert study.started is not None
    assert study.finished is not None
    assert study.best is not None
    assert (study.best.params, study.best.value) == ({"x": 0.25}, 0.0)


def test_studies_are_listed_the_newest_first_in_the_state_that_each_says_of_itself(studies: Studies) -> None:
    finished(studies, studies.start("old"))
    studies.close()
    time.sleep(1.1)  # Kubernetes tells times in seconds
    studies.start("new")
    at_work(studies, "new")
    listed = {one.name: one.state for one in studies.engine.list()}
    assert list(listed.items()) == [("new", RunState.RUNNING), ("old", RunState.SUCCEEDED)]
    assert listed == {name: studies.engine.get(name).state for name in listed}


def test_there_may_be_no_studies(studies: Studies) -> None:
    assert studies.engine.list() == []


@pytest.mark.parametrize("verb", ["find", "get", "stop", "resume", "delete", "logs", "observe"])
def test_an_unknown_study_is_not_found_by_any_verb_and_one_of_a_close_name_is_proposed(
    studies: Studies, verb: str
) -> None:
    finished(studies, studies.start())
    calls = {"observe": lambda name: studies.engine.observe(name).refresh()}
    calls["logs"] = lambda name: list(studies.engine.logs(name, 0))
    call = calls.get(verb) or getattr(studies.engine, verb)
    with pytest.raises(StudyNotFound, match=r"bowk.*did you mean bowl"):
        call("bowk")
    assert studies.engine.get("bowl").state is RunState.SUCCEEDED


def test_a_name_that_a_running_study_has_is_refused(studies: Studies) -> None:
    studies.close()
    studies.start()
    with pytest.raises(BackendError, match="study bowl"):
        studies.start()
    assert [one.name for one in studies.engine.list()] == ["bowl"]


def test_a_study_that_is_stopped_is_the_same_in_each_view(studies: Studies) -> None:
    studies.close()
    name = studies.start(max_trials=5)
    at_work(studies, name)
    observed = studies.engine.observe(name)
    observed.refresh()
    studies.engine.stop(name)
    studies.engine.stop(name)  # harmless
    studies.open()
    study = finished(studies, name)
    assert (study.state, study.error) == (RunState.CANCELED, "")
    assert len(study.trials) < 5
    until(lambda: all(one.state.finished for one in studies.engine.get(name).trials))
    until(lambda: observed.refresh() == set() and observed.over)
    assert observed.study == studies.engine.get(name)
    assert [one.state for one in studies.engine.list()] == [RunState.CANCELED]
    with pytest.raises(StudyFailed, match="CANCELED"):
        Study(studies.engine, name).wait(10)
    studies.engine.stop(name)
    assert studies.engine.get(name).state is RunState.CANCELED


def test_to_stop_a_study_that_is_done_changes_nothing(studies: Studies) -> None:
    before = finished(studies, studies.start())
    studies.engine.stop("bowl")
    assert studies.engine.get("bowl") == before


def test_a_study_that_was_stopped_continues_up_to_its_trials(studies: Studies) -> None:
    studies.close()
    name = studies.start(max_trials=4)
    at_work(studies, name)
    studies.engine.stop(name)
    studies.open()
    finished(studies, name)
    until(lambda: all(one.state.finished for one in studies.engine.get(name).trials))
    before = studies.engine.get(name).trials
    studies.engine.resume(name)
    assert studies.engine.get(name).state not in (RunState.CANCELED, RunState.CANCELING)
    study = finished(studies, name)
    assert (study.state, study.max_trials) == (RunState.SUCCEEDED, 4)
    assert study.trials[: len(before)] == before
    assert sum(one.state is TrialState.SUCCEEDED for one in study.trials) == 4


def test_a_study_that_is_done_continues_for_so_many_more_trials(studies: Studies) -> None:
    before = finished(studies, studies.start()).trials
    with pytest.raises(
        BackendError, match=r"bowl already ran 3 trials[;:] pass (--trials N|trials=N) to run more"
    ):
        studies.engine.resume("bowl")
    assert studies.engine.get("bowl").state is RunState.SUCCEEDED
    studies.engine.resume("bowl", trials=2)
    assert not studies.engine.get("bowl").state.finished
    study = finished(studies, "bowl")
    assert (study.state, study.max_trials) == (RunState.SUCCEEDED, 5)
    assert study.trials[:3] == before
    assert sorted(one.params["x"] for one in study.trials) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_study_that_runs_is_neither_resumed_nor_deleted(studies: Studies) -> None:
    studies.close()
    name = studies.start()
    at_work(studies, name)
    with pytest.raises(BackendError, match="bowl"):
        studies.engine.resume(name, trials=2)
    with pytest.raises(BackendError, match=r"bowl .*running.* stop it first") as refused:
        studies.engine.delete(name)
    assert refused.value.code == "still-running"
    study = studies.engine.get(name)
    assert (study.state, study.max_trials) == (RunState.RUNNING, 3)


def test_a_study_that_is_deleted_is_gone_with_its_trials_and_its_name_is_free(studies: Studies) -> None:
    finished(studies, studies.start())
    observed = studies.engine.observe("bowl")
    observed.refresh()
    studies.engine.delete("bowl")
    assert studies.engine.list() == []
    for refresh in (lambda: studies.engine.get("bowl"), observed.refresh):
        with pytest.raises(StudyNotFound, match="bowl"):
            refresh()
    assert len(finished(studies, studies.start(max_trials=2)).trials) == 2


def test_the_log_of_a_trial_is_what_it_printed(studies: Studies) -> None:
    study = finished(studies, studies.start())
    for trial in study.trials:
        assert list(studies.engine.logs("bowl", trial.number)) == [f"x is {trial.params['x']}"]
    with pytest.raises(BackendError, match="bowl has no trial 7"):
        list(studies.engine.logs("bowl", 7))


def test_a_trial_that_fails_says_why_and_the_study_continues(studies: Studies) -> None:
    study = finished(studies, studies.start(space="x=float(0,2,step=1)"))
    assert study.state is RunState.SUCCEEDED
    (failed,) = [one for one in study.trials if one.state is TrialState.FAILED]
    assert (failed.params, failed.value) == ({"x": 2.0}, None)
    assert failed.error is not None
    assert failed.error.message == "ValueError: too far out"
    assert 'raise ValueError("too far out")' in failed.error.traceback
    assert f"x is {failed.params['x']}" in list(studies.engine.logs("bowl", failed.number))
    assert study.best is not None
    assert study.best.params["x"] in (0.0, 1.0)


def test_a_study_of_which_too_many_trials_fail_fails_and_says_so(studies: Studies) -> None:
    study = finished(studies, studies.start(space="x=float(2,4,step=1)", max_failed=2))
    assert study.state is RunState.FAILED
    assert "failed" in study.error
    assert study.best is None
    with pytest.raises(StudyFailed, match="bowl"):
        Study(studies.engine, "bowl").wait(10)


def test_a_study_ends_when_its_goal_is_reached(studies: Studies) -> None:
    goal = Objective("loss", goal=0.01)
    study = finished(studies, studies.start(max_trials=5, objective=goal))
    assert (study.state, study.reason) == (RunState.SUCCEEDED, "goal reached")
    assert study.best is not None
    assert study.best.value == 0.0


def test_what_an_engine_cannot_do_is_refused_with_what_it_can_and_nothing_is_started(
    studies: Studies,
) -> None:
    endless = studies.search(space="x=float(0,1)", max_trials=3)
    with pytest.raises(BackendError, match=r"^bowl cannot .*step.*float\(0,1,step="):
        studies.engine.start(endless)
    assert studies.engine.list() == []


def test_notes_are_the_same_in_each_view(studies: Studies) -> None:
    study = finished(studies, studies.start())
    observed = studies.engine.observe("bowl")
    observed.refresh()
    (listed,) = studies.engine.list()
    assert study.notes == observed.study.notes == listed.notes


def test_what_the_user_should_know_of_a_study_is_in_its_notes_from_its_beginning(studies: Studies) -> None:
    studies.close()
    changes, note = studies.noted
    studies.start(**changes)
    assert note in "; ".join(studies.engine.get("bowl").notes)
    assert note in "; ".join(studies.engine.list()[0].notes)


def test_the_handle_waits_for_the_end_and_gives_the_best(studies: Studies) -> None:
    study = Study(studies.engine, studies.start())
    assert study.wait(60).best.value == min(one.value for one in study.trials if one.value is not None)
    assert study.backend == studies.engine.name
    assert 0 < study.pace.shortest <= study.pace.longest
