"""What was skipped in one attempt at a run, and waits in the next."""

from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.runs.kubeflow.retried_run import not_skipped_yet

SKIPPED, RUNNING, FAILED, PENDING, SUCCEEDED = (
    RunState.SKIPPED,
    RunState.RUNNING,
    RunState.FAILED,
    RunState.PENDING,
    RunState.SUCCEEDED,
)


def task(path: str, state: RunState, *needs: str, group: bool = False) -> Task:
    parent, _, name = path.rpartition("/")
    return Task(path, name, state, parent=parent, needs=needs, group=group)


def states(*tasks: Task, run: RunState = RUNNING) -> list[RunState]:
    seen = not_skipped_yet(RunSnapshot("1", "r", "p", "kubeflow", run, tasks=tasks))
    return [one.state for one in seen.tasks]


def test_all_that_comes_after_what_runs_again_waits_however_far_behind():
    last, middle, first = (
        task("c", SKIPPED, "b"),
        task("b", SKIPPED, "a"),
        task("a", RUNNING),
    )
    assert states(last, middle, first) == [PENDING, PENDING, RUNNING]


def test_what_is_in_a_group_waits_with_it():
    group, inner = task("g", SKIPPED, "a", group=True), task("g/b", SKIPPED)
    assert states(task("a", RUNNING), group, inner) == [RUNNING, PENDING, PENDING]


def test_a_branch_that_was_not_taken_is_skipped_while_the_run_goes_on():
    branch, inner = task("condition-1", SKIPPED, "a", group=True), task("condition-1/b", SKIPPED)
    assert states(task("a", SUCCEEDED), branch, inner, task("c", RUNNING)) == [
        SUCCEEDED,
        SKIPPED,
        SKIPPED,
        RUNNING,
    ]


def test_what_comes_after_a_failure_is_skipped_while_others_run():
    assert states(task("a", FAILED), task("b", SKIPPED, "a"), task("c", RUNNING)) == [
        FAILED,
        SKIPPED,
        RUNNING,
    ]


def test_a_group_that_has_ended_has_nothing_that_waits_though_the_server_says_of_a_task_that_it_runs():
    group, late = task("g", FAILED, group=True), task("g/a", RUNNING)
    assert states(group, late, task("g/b", SKIPPED, "a"), task("c", RUNNING)) == [
        FAILED,
        RUNNING,
        SKIPPED,
        RUNNING,
    ]


def test_a_run_that_has_ended_is_left_as_it_is():
    assert states(task("a", RUNNING), task("b", SKIPPED, "a"), run=FAILED) == [RUNNING, SKIPPED]
