"""Studies on a cluster: begun, followed, stopped, resumed and deleted, as one who uses them sees it."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import yaml
from asked_kubernetes import asking
from katib_searches import churn, search
from katib_server import NAMESPACE, KatibServer

from kfnb.entities import RunState, TaskError
from kfnb.errors import BackendError, BackendUnavailable, StudyNotFound
from kfnb.resources.studies.katib import KatibStudyEngine, connect
from kfnb.resources.studies.katib.logs import program_of
from kfnb.resources.studies.katib.observations import Curve
from kfnb.resources.studies.katib.tracked_study import TrackedStudy
from kfnb.resources.studies.model import Objective, TrialState
from kfnb.resources.studies.search import TrialSubject

MINE = {"lr": "0.01", "depth": "5", "act": "tanh"}


class Curves:
    """A DB manager; ``asked`` holds the trials that it was asked about."""

    def __init__(self, failure: BackendError | None = None) -> None:
        self.asked: list[str] = []
        self.failure = failure

    def curves(self, trials: Any, metric: str) -> Iterator[tuple[str, Curve]]:
        assert metric == "loss"
        for trial in trials:
            self.asked.append(trial)
            if self.failure is not None:
                raise self.failure
            yield trial, ((0.0, 3.0), (1.0, 2.0))


@pytest.fixture
def begun(katib: KatibServer, engine: KatibStudyEngine) -> TrackedStudy:
    """A study that was begun, and looked at once."""
    engine.start(search())
    katib.condition("my-bowl", "Created")
    katib.condition("my-bowl", "Running")
    observed = engine.observe("my_bowl")
    assert observed.refresh() == {-1}
    return observed


def test_a_study_that_was_begun_is_an_experiment(katib: KatibServer, engine: KatibStudyEngine) -> None:
    engine.start(search())
    study = engine.get("my_bowl")
    assert (study.name, study.state, study.subject) == ("my-bowl", RunState.PENDING, "bowl")
    assert study.space == search().space
    assert (study.algorithm, study.max_trials, study.parallel) == ("tpe", 12, 3)
    assert katib.experiment("my-bowl")["metadata"]["namespace"] == NAMESPACE


def test_a_name_that_is_taken_is_refused(engine: KatibStudyEngine) -> None:
    engine.start(search())
    with pytest.raises(BackendError, match="study my-bowl already exists in namespace team-a"):
        engine.start(search())


def test_a_draft_shows_the_experiment_and_begins_nothing(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    draft = engine.draft(search())
    assert yaml.safe_load(draft.text)["metadata"]["name"] == "my-bowl"
    assert (draft.answer, draft.accepted) == ("namespace team-a would take it", True)
    assert katib.objects == {}
    assert [query.get("dryRun") for _, _, query in katib.asked] == ["All"]


def test_that_the_cluster_searches_otherwise_than_here_is_said_before_and_after(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    other = "Katib has no auto: it searches with multivariate-tpe"
    assert other in engine.draft(search(algorithm="auto")).answer
    engine.start(search(name="ours", algorithm="auto"))
    engine.start(search(name="theirs", algorithm="multivariate-tpe"))
    assert [other in "".join(engine.get(name).notes) for name in ("ours", "theirs")] == [True, False]
    assert engine.get("ours").algorithm == "multivariate-tpe"


def test_a_draft_says_what_the_cluster_has_against_it(engine: KatibStudyEngine) -> None:
    engine.start(search())
    draft = engine.draft(search())
    assert (draft.answer.partition(":")[0], draft.accepted) == (
        "study my-bowl already exists in namespace team-a",
        False,
    )
    draft = KatibStudyEngine(asking("http://127.0.0.1:1"), NAMESPACE).draft(search())
    assert "does not answer" in draft.answer
    assert "kind: Experiment" in draft.text


def test_a_cluster_without_katib_says_so_with_the_alternative(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    katib.installed = False
    calls: list[Callable[[], Any]] = [
        engine.list,
        lambda: engine.get("my_bowl"),
        lambda: engine.start(search()),
    ]
    for call in calls:
        with pytest.raises(BackendError, match=r"Katib is not installed in this cluster: .*--backend local"):
            call()


def test_a_study_that_is_not_there_is_not_found_with_one_of_a_close_name(engine: KatibStudyEngine) -> None:
    engine.start(search())
    for call in (engine.get, engine.stop, engine.resume, engine.delete, engine.observe("my_bowk").refresh):
        with pytest.raises(
            StudyNotFound, match="unknown study my-bowk in namespace team-a; did you mean my-bowl"
        ):
            call(*(() if call.__name__ == "look" else ("my_bowk",)))


def test_trials_come_with_typed_values_and_numbers(katib: KatibServer, begun: TrackedStudy) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    assert begun.refresh() == {0}
    (trial,) = begun.study.trials
    assert (trial.number, trial.name, trial.state) == (0, "my-bowl-a", TrialState.RUNNING)
    assert trial.params == {"lr": 0.01, "depth": 5, "act": "tanh"}


def test_a_look_finds_what_has_happened_to_which_trial(katib: KatibServer, begun: TrackedStudy) -> None:
    for name in "abc":
        katib.trial("my-bowl", f"my-bowl-{name}", **MINE)
    assert begun.refresh() == {0, 1, 2}
    assert begun.refresh() == set()
    katib.ends("my-bowl-b", "Succeeded", loss=("1", "9", "2"))
    assert begun.refresh() == {1}
    assert begun.study.trials[1].value == 2.0
    assert begun.study.best == begun.study.trials[1]


def test_a_look_asks_little_and_never_for_all_again(katib: KatibServer, begun: TrackedStudy) -> None:
    for name in "abcdefgh":
        katib.trial("my-bowl", f"my-bowl-{name}", **MINE)
    begun.refresh()
    katib.ends("my-bowl-b", "Succeeded", loss=("1", "9", "2"))
    katib.asked.clear()
    begun.refresh()
    assert len(katib.asked) == 2
    assert all(query.get("watch") for _, path, query in katib.asked if path.endswith("/trials"))


def test_a_finished_study_is_asked_about_no_more_than_once_a_look(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    katib.condition("my-bowl", "Succeeded", "ExperimentGoalReached")
    assert begun.refresh() == {-1, 0}
    assert begun.study.state is RunState.SUCCEEDED
    assert begun.study.reason == "goal reached"
    katib.asked.clear()
    assert begun.refresh() == set()
    assert len(katib.asked) == 1


def test_trials_that_outlive_their_experiment_are_followed_to_their_end(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    katib.condition("my-bowl", "Succeeded", "ExperimentGoalReached")
    begun.refresh()
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    assert begun.refresh() == {0}
    assert begun.study.trials[0].state is TrialState.SUCCEEDED


def test_a_look_begins_anew_where_kubernetes_has_forgotten_what_happened(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    begun.refresh()
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    katib.forget()
    assert begun.refresh() == {0}
    assert begun.study.trials[0].value == 2.0


def test_a_trial_that_katib_takes_away_is_gone(katib: KatibServer, begun: TrackedStudy) -> None:
    for name in "ab":
        katib.trial("my-bowl", f"my-bowl-{name}", **MINE)
    begun.refresh()
    katib.remove(f"/apis/kubeflow.org/v1beta1/namespaces/{NAMESPACE}/trials/my-bowl-b")
    assert begun.refresh() == {-1}
    assert [one.name for one in begun.study.trials] == ["my-bowl-a"]


def test_trials_of_another_study_are_not_among_them(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    engine.start(search(name="other"))
    katib.trial("other", "other-a", **MINE)
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    begun.refresh()
    assert [one.name for one in begun.study.trials] == ["my-bowl-a"]


def test_studies_are_listed_the_newest_first(katib: KatibServer, engine: KatibStudyEngine) -> None:
    for number, name in enumerate(["old", "new", "newer"]):
        engine.start(search(name=name))
        katib.experiment(name)["metadata"]["creationTimestamp"] = f"2026-11-2{number}T00:00:00Z"
    assert [study.name for study in engine.list()] == ["newer", "new", "old"]


# -- learning curves -------------------------------------------------------------------------------------------


def with_curves(katib: KatibServer, curves: Curves) -> KatibStudyEngine:
    return KatibStudyEngine(asking(katib.url), NAMESPACE, lambda: nullcontext(curves))  # type: ignore[arg-type, return-value]


def test_the_curve_of_a_trial_is_read_once_when_it_has_ended(katib: KatibServer) -> None:
    curves = Curves()
    engine = with_curves(katib, curves)
    engine.start(search())
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    katib.trial("my-bowl", "my-bowl-b", **MINE)
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    observed = engine.observe("my_bowl")
    observed.refresh()
    observed.refresh()
    assert curves.asked == ["my-bowl-a"]
    assert [one.curve for one in observed.study.trials] == [((0.0, 3.0), (1.0, 2.0)), ()]


def test_all_but_the_curves_is_there_without_a_db_manager(katib: KatibServer) -> None:
    curves = Curves(
        BackendUnavailable("Katib's DB manager does not answer at katib-db-manager.kubeflow:6789")
    )
    engine = with_curves(katib, curves)
    engine.start(search())
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    observed = engine.observe("my_bowl")
    observed.refresh()
    observed.refresh()
    assert observed.study.trials[0].value == 2.0
    assert observed.study.notes[-1].startswith("no learning curves: Katib's DB manager does not answer")
    assert curves.asked == ["my-bowl-a"], "one that does not answer is left alone for a while"


def test_a_db_manager_that_no_forward_leads_to_is_noted_with_the_reason(katib: KatibServer) -> None:
    engine = connect(asking(katib.url), NAMESPACE, "kubeflow", forwarded=True)
    engine.start(search())
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    katib.ends("my-bowl-a", "Succeeded", loss=("1", "9", "2"))
    study = engine.get("my_bowl")
    assert study.trials[0].value == 2.0
    assert "katib-db-manager" in study.notes[-1]
    assert "127.0.0.1" not in study.notes[-1]


# -- failures and logs -----------------------------------------------------------------------------------------

TRACEBACK = """\
[KFP Executor 2026-11-25 03:26:39,226 INFO]: Looking for component `bowl`
step 0: loss=8
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/usr/lib/python3.11/site-packages/kfp/dsl/executor_main.py", line 109, in <module>
    executor_main()
  File "/tmp/tmp.1/ephemeral_component.py", line 24, in bowl
    raise ValueError("no such activation")
ValueError: no such activation
"""


def collected(text: str) -> str:
    """A log as the collector repeats it."""
    said = "".join(f"I1125 03:26:39.226000      13 main.go:143] {line}\n" for line in text.splitlines())
    return f"I1125 03:26:30.000000      13 main.go:401] Trial Name: my-bowl-a\n{said}"


def failing(katib: KatibServer) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    message = "Trial has failed. Job message: Job has reached the specified backoff limit"
    katib.ends("my-bowl-a", "Failed", message)


@pytest.mark.parametrize(
    "logs",
    [{"trial": TRACEBACK}, {"trial": "", "metrics_logger_and_collector": collected(TRACEBACK)}],
    ids=["in its own log", "in the collector's"],
)
def test_a_trial_that_failed_has_the_traceback_of_its_pod(
    katib: KatibServer, begun: TrackedStudy, logs: dict[str, str]
) -> None:
    failing(katib)
    katib.pod("my-bowl-a", **logs)
    begun.refresh()
    error = begun.study.trials[0].error
    assert error is not None
    assert error.message == "ValueError: no such activation"
    assert 'raise ValueError("no such activation")' in error.traceback


def test_a_failure_in_one_of_several_steps_is_shown(katib: KatibServer, engine: KatibStudyEngine) -> None:
    subject = TrialSubject("churn", churn(), arguments={"rows": 5})
    engine.start(search("lr=float(0,9)", name="churn", subject=subject, objective=Objective("train.loss")))
    assert engine.get("churn").notes[0].startswith("each trial runs count, save, train too")
    katib.trial("churn", "churn-a", lr="5")
    katib.ends("churn-a", "Failed", "it failed")
    katib.pod("churn-a", trial=f"kfnb: step count\nkfnb: step train\n{TRACEBACK}")
    error = engine.get("churn").trials[0].error
    assert error is not None
    assert error.message == "ValueError: no such activation"


def test_the_source_of_the_step_that_failed_is_the_one_that_is_shown(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    subject = TrialSubject("churn", churn(), arguments={"rows": 5})
    engine.start(search("lr=float(0,9)", name="churn", subject=subject, objective=Objective("train.loss")))
    program = program_of(katib.experiment("churn"))
    assert [*program.sources] == ["count", "save", "train", "other"]
    assert "def train(" in program.source(["kfnb: step count", "kfnb: step train", "oh"])
    assert "$$" not in program.source(["kfnb: step count"])


def test_an_objective_that_is_no_number_is_why_a_trial_failed(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    failing(katib)
    katib.pod("my-bowl-a", trial="step 0: loss is nan\nloss is nan: an objective is a finite number\n")
    begun.refresh()
    assert begun.study.trials[0].error == TaskError("loss is nan: an objective is a finite number")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {"containerStatuses": [{"name": "trial", "state": {"terminated": {"reason": "OOMKilled"}}}]},
            "more memory than its limit",
        ),
        ({"reason": "Evicted", "message": "The node was low on disk"}, "Evicted: The node was low on disk"),
        (
            {"containerStatuses": [{"name": "trial", "state": {"terminated": {"exitCode": 3}}}]},
            "ended with exit code 3",
        ),
    ],
)
def test_how_its_container_ended_is_why_a_trial_failed(
    katib: KatibServer, begun: TrackedStudy, status: Any, words: str
) -> None:
    failing(katib)
    katib.pod("my-bowl-a", status, trial="begins\n")
    begun.refresh()
    error = begun.study.trials[0].error
    assert error is not None
    assert words in error.message


def test_a_trial_whose_pod_is_gone_failed_for_what_katib_says(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    failing(katib)
    begun.refresh()
    assert begun.study.trials[0].error == TaskError("Job has reached the specified backoff limit")


def test_the_pods_of_many_failed_trials_are_asked_a_few_at_a_look(
    katib: KatibServer, begun: TrackedStudy
) -> None:
    for number in range(8):
        katib.trial("my-bowl", f"my-bowl-{number}", **MINE)
        katib.ends(f"my-bowl-{number}", "Failed", "it failed")
        katib.pod(f"my-bowl-{number}", trial=TRACEBACK)
    looks = []
    for _ in range(3):
        katib.asked.clear()
        begun.refresh()
        looks.append(len(katib.asked))
    assert max(looks) <= 8
    assert {one.error.message for one in begun.study.trials if one.error} == {
        "ValueError: no such activation"
    }


def test_the_log_of_a_trial_is_its_own_lines(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    text = TRACEBACK.partition("Traceback")[0]
    katib.pod("my-bowl-a", trial="", metrics_logger_and_collector=collected(text))
    assert list(engine.logs("my_bowl", 0)) == ["step 0: loss=8"]


def test_a_log_that_is_not_there_is_said_to_be_gone(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    katib.trial("my-bowl", "my-bowl-a", **MINE)
    with pytest.raises(BackendError, match="the log of my-bowl-a is not there"):
        list(engine.logs("my_bowl", 0))
    with pytest.raises(BackendError, match="my_bowl has no trial 7: it has 1"):
        list(engine.logs("my_bowl", 7))


# -- the end ---------------------------------------------------------------------------------------------------


def running(katib: KatibServer, *trials: str) -> None:
    for name in trials:
        katib.trial("my-bowl", f"my-bowl-{name}", **MINE)


def test_a_study_that_is_stopped_has_at_most_one_more_trial(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, "a", "b")
    engine.stop("my_bowl")
    assert katib.experiment("my-bowl")["spec"]["maxTrialCount"] == 3
    begun.refresh()
    assert begun.study.state is RunState.CANCELING
    assert "Katib lets trials that run come to their end" in begun.study.notes[0]
    running(katib, "c")
    katib.condition("my-bowl", "Succeeded", "ExperimentMaxTrialsReached")
    begun.refresh()
    assert begun.study.state is RunState.CANCELED


def test_to_stop_a_study_twice_or_one_that_has_ended_does_nothing(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, "a")
    engine.stop("my_bowl")
    engine.stop("my_bowl")
    katib.condition("my-bowl", "Succeeded", "ExperimentMaxTrialsReached")
    engine.stop("my_bowl")
    assert [method for method, _, _ in katib.asked].count("PATCH") == 1


def test_a_study_that_has_begun_its_last_trials_is_not_given_more_by_being_stopped(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, *"abcdefghijkl")
    engine.stop("my_bowl")
    assert katib.experiment("my-bowl")["spec"]["maxTrialCount"] == 12


def test_a_stopped_study_goes_on_up_to_what_was_asked_for_at_first(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, "a", "b")
    engine.stop("my_bowl")
    engine.resume("my_bowl")
    assert katib.experiment("my-bowl")["spec"]["maxTrialCount"] == 12
    begun.refresh()
    assert begun.study.state is RunState.RUNNING


def test_a_study_that_is_stopped_as_it_begins_has_its_limits_back_when_it_goes_on(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    engine.start(search(parallel=4, max_failed=6))
    engine.stop("my_bowl")
    spec = katib.experiment("my-bowl")["spec"]
    assert (spec["maxTrialCount"], spec["parallelTrialCount"], spec["maxFailedTrialCount"]) == (1, 1, 1)
    engine.resume("my_bowl")
    spec = katib.experiment("my-bowl")["spec"]
    assert (spec["maxTrialCount"], spec["parallelTrialCount"], spec["maxFailedTrialCount"]) == (12, 4, 6)
    engine.stop("my_bowl")
    engine.resume("my_bowl", trials=2)
    spec = katib.experiment("my-bowl")["spec"]
    assert (spec["maxTrialCount"], spec["parallelTrialCount"], spec["maxFailedTrialCount"]) == (2, 2, 2)


def test_a_study_that_has_ended_as_it_was_told_to_stop_goes_on_too(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, "a", "b", "c")
    engine.stop("my_bowl")
    running(katib, "d")
    katib.condition("my-bowl", "Succeeded", "ExperimentMaxTrialsReached")
    assert (engine.get("my_bowl").state, engine.get("my_bowl").reason) == (RunState.CANCELED, "")
    engine.resume("my_bowl")
    study = engine.get("my_bowl")
    assert (study.state, study.max_trials) == (RunState.RUNNING, 12)


def test_a_study_that_has_had_its_trials_goes_on_for_so_many_more(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    running(katib, *"abcdefghijkl")
    katib.condition("my-bowl", "Succeeded", "ExperimentMaxTrialsReached")
    with pytest.raises(BackendError, match=r"already ran 12 trials: pass --trials N"):
        engine.resume("my_bowl")
    engine.resume("my_bowl", trials=5)
    assert katib.experiment("my-bowl")["spec"]["maxTrialCount"] == 17
    assert engine.get("my_bowl").state is RunState.RUNNING, "Katib notices it a little later"


@pytest.mark.parametrize(
    ("kind", "reason", "policy", "why"),
    [
        ("Succeeded", "ExperimentGoalReached", "LongRunning", "goal reached"),
        ("Failed", "ExperimentFailed", "LongRunning", "it has failed"),
        ("Succeeded", "ExperimentMaxTrialsReached", "Never", "its resumePolicy is Never"),
        ("Running", "ExperimentRunning", "LongRunning", "it has not ended"),
    ],
)
def test_what_katib_does_not_go_on_with_is_refused_in_words(
    katib: KatibServer,
    engine: KatibStudyEngine,
    begun: TrackedStudy,
    kind: str,
    reason: str,
    policy: str,
    why: str,
) -> None:
    katib.experiment("my-bowl")["spec"]["resumePolicy"] = policy
    katib.condition("my-bowl", kind, reason)
    with pytest.raises(BackendError, match=f"Katib cannot resume my-bowl: .*{why}"):
        engine.resume("my_bowl", trials=5)


def test_a_study_is_deleted_when_it_has_ended_or_was_stopped(
    katib: KatibServer, engine: KatibStudyEngine, begun: TrackedStudy
) -> None:
    with pytest.raises(BackendError, match="my-bowl is running: stop it first"):
        engine.delete("my_bowl")
    engine.stop("my_bowl")
    engine.delete("my_bowl")
    with pytest.raises(StudyNotFound):
        begun.refresh()
