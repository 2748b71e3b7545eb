"""Several runs as one comparison."""

from kfnb.entities import Compared, RunSnapshot, RunState, Task
from kfnb.resources.runs.comparison import compared

SUCCEEDED, FAILED = RunState.SUCCEEDED, RunState.FAILED


def run(run_id, *tasks, **fields):
    return RunSnapshot(run_id, run_id, "p", "local", SUCCEEDED, tasks=tasks, **fields)


def task(task_id, state=SUCCEEDED, **fields):
    return Task(task_id, task_id.rpartition("/")[2], state, started=0.0, finished=2.0, **fields)


def test_each_thing_is_a_row_with_what_it_is_in_each_run():
    comparison = compared(
        [
            run("r1", arguments={"C": 1, "rows": 3}, environment={"python": "3.11"}),
            run("r2", arguments={"C": 2, "rows": 3}, environment={"python": "3.12"}),
            run("r3", arguments={"rows": 3, "seed": 0}),
        ]
    )
    assert comparison.arguments == (
        Compared("C", (1, 2, None)),
        Compared("rows", (3, 3, 3)),
        Compared("seed", (None, None, 0)),
    )
    assert [row.same for row in comparison.arguments] == [False, True, False]
    assert comparison.environment == (Compared("python", ("3.11", "3.12", None)),)


def test_metrics_states_and_seconds_are_by_task_with_lists_over_the_turns_of_a_loop():
    turns = [task(f"loop/{i}/train", parent="loop", iteration=i, metrics={"loss": i / 10}) for i in range(2)]
    comparison = compared([run("r1", *turns, task("check")), run("r2", task("check", FAILED))])
    assert comparison.metrics == (Compared("train.loss", ([0.0, 0.1], None)),)
    assert comparison.states == (
        Compared("train", (["SUCCEEDED", "SUCCEEDED"], None)),
        Compared("check", ("SUCCEEDED", "FAILED")),
    )
    assert comparison.seconds == (Compared("train", ([2.0, 2.0], None)), Compared("check", (2.0, 2.0)))


def test_a_run_that_is_known_without_its_tasks_has_the_metrics_it_tells_itself():
    comparison = compared([run("r1", metrics={"t.a": 1}), run("r2", task("t", metrics={"a": 2}))])
    assert comparison.metrics == (Compared("t.a", (1, 2)),)
