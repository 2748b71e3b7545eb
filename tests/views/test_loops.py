"""Loops and branches: many tasks in few rows."""

import widget_pages as reading
import widget_samples as samples

from kfnb.entities import Artifact, RunSnapshot, RunState, Task
from kfnb.resources.runs.view.artifacts import MOST_SHOWN, MOST_TURNS
from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.words import TIMES

SKIPPED, RUNNING, PENDING = RunState.SKIPPED, RunState.RUNNING, RunState.PENDING


def run_of(*tasks, state=RunState.SUCCEEDED):
    return RunSnapshot("r1", "r", "p", "local", state, tasks=tasks)


def table_of(*tasks, **more):
    html = draw_run(run_of(*tasks, **more), now=samples.NOW)["text/html"]
    return [[cell.strip() for cell in row] for row in reading.rows(html)]


def sweep(values, threshold=0.9):
    """As the local engine tells of a loop with an If and an Else."""
    yield Task("for-loop-2", "for-loop-2", RunState.SUCCEEDED, group=True)
    for index, (c, score) in enumerate(values):
        here = f"for-loop-2/{index}"
        yield Task(f"{here}/train", "train", RunState.SUCCEEDED, "for-loop-2", iteration=index,
                   inputs={"C": c, "seed": 0}, outputs={"score": score}, cached=index == 0)  # fmt: skip
        branches = f"{here}/condition-branches-3"
        yield Task(
            branches, "condition-branches-3", RunState.SUCCEEDED, "for-loop-2", group=True, iteration=index
        )
        for number, name, taken in ((4, "publish", score > threshold), (5, "reject", score <= threshold)):
            state = RunState.SUCCEEDED if taken else SKIPPED
            yield Task(f"{branches}/condition-{number}", f"condition-{number}", state, branches, group=True)
            yield Task(f"{branches}/condition-{number}/{name}", name, state, f"{branches}/condition-{number}",
                       inputs={"score": score, "C": c} if taken else {})  # fmt: skip


VALUES = ((0.001, 0.88), (0.1, 0.98), (1.0, 0.97))


def test_a_turn_is_one_row_named_by_the_steps_that_ran_with_what_it_ran_over():
    assert table_of(*sweep(VALUES)) == [
        ["Task", "State", "Note", "Inputs", "Outputs"],
        ["loop over C", "✓ Succeeded", "3 iterations", "seed = 0", ""],
        ["[0] train · reject", "✓ Succeeded", "1 of 2 cached", "C = 0.001", "score = 0.88"],
        ["[1] train · publish", "✓ Succeeded", "", "C = 0.1", "score = 0.98"],
        ["[2] train · publish", "✓ Succeeded", "", "C = 1.0", "score = 0.97"],
    ]


def test_the_names_of_kfps_compiler_are_not_shown():
    text = draw_run(run_of(*sweep(VALUES)), now=samples.NOW)["text/plain"]
    assert "condition-" not in text
    assert "for-loop-" not in text


def test_a_loop_whose_first_turn_alone_has_begun_claims_nothing():
    waiting = [Task(f"for-loop-1/{i}/train", "train", PENDING, "for-loop-1", iteration=i) for i in (1, 2)]
    rows = table_of(
        Task("for-loop-1", "for-loop-1", RUNNING, group=True),
        Task("for-loop-1/0/train", "train", RUNNING, "for-loop-1", iteration=0, inputs={"C": 0.1}),
        *waiting,
        state=RUNNING,
    )
    assert rows[1:3] == [["loop", "● Running", "3 iterations", ""], ["[0] train", "● Running", "", "C = 0.1"]]


def test_the_steps_of_a_turn_under_way_have_their_states():
    states = {"a": RunState.SUCCEEDED, "b": RUNNING, "c": PENDING}
    steps = [Task(f"l/0/{name}", name, state, "l", iteration=0) for name, state in states.items()]
    rows = table_of(Task("l", "l", RUNNING, group=True), *steps, state=RUNNING)
    assert rows[2][:2] == ["[0] ✓ a · ● b · ○ c", "● Running"]


def test_a_turn_whose_branch_is_still_to_come_is_not_done():
    rows = table_of(
        Task("l", "l", RUNNING, group=True),
        Task("l/0/a", "a", RunState.SUCCEEDED, "l", iteration=0),
        Task("l/0/condition-1", "condition-1", PENDING, "l", group=True, iteration=0),
        state=RUNNING,
    )
    assert rows[2][:2] == ["[0] ✓ a", "● Running"]


def test_a_branch_that_was_taken_is_its_tasks_and_one_that_was_not_is_a_row():
    rows = table_of(
        samples.task("score"),
        Task(
            "condition-branches-1", "condition-branches-1", RunState.SUCCEEDED, group=True, needs=("score",)
        ),
        Task("c2", "condition-2", RunState.SUCCEEDED, "condition-branches-1", group=True),
        samples.task("publish", parent="c2"),
        Task("c3", "condition-3", SKIPPED, "condition-branches-1", group=True),
        Task("c3/reject", "reject", SKIPPED, "c3"),
        Task("c3/mail", "mail", SKIPPED, "c3"),
    )
    assert [row[:2] for row in rows[1:]] == [
        ["score", "✓ Succeeded"],
        ["publish", "✓ Succeeded"],
        ["reject, mail", "⊘ Skipped"],
    ]


def curves(count):
    yield Task("l", "l", RunState.SUCCEEDED, group=True)
    for index in range(count):
        points = [{"recall": 1.0, "falsePositiveRate": 0.1}]
        roc = Artifact("roc", "system.ClassificationMetrics", f"/{index}", {"confidenceMetrics": points})
        yield Task(f"l/{index}/t", "t", RunState.SUCCEEDED, "l", iteration=index, outputs={"roc": roc})


def test_the_pictures_of_a_loop_are_named_by_their_turns_and_what_is_left_out_is_said():
    html = draw_run(run_of(*curves(MOST_TURNS + 3)), now=samples.NOW)["text/html"]
    assert html.count("AUC 0.950</text>") == MOST_TURNS
    assert f"t {TIMES} {MOST_TURNS + 3}" in html
    assert "… 3 more of t are not shown here: see run.artifacts['t']" in reading.read(html).text


def test_a_run_shows_no_more_than_a_notebook_can_hold():
    points = [{"recall": 1.0, "falsePositiveRate": 0.1}]
    roc = Artifact("roc", "system.ClassificationMetrics", "/", {"confidenceMetrics": points})
    tasks = [samples.task(f"t{number}", outputs={"roc": roc}) for number in range(MOST_SHOWN + 5)]
    html = draw_run(run_of(*tasks), now=samples.NOW)["text/html"]
    assert html.count("AUC 0.950</text>") == MOST_SHOWN
    assert reading.read(html).text.count("1 more of") == 5


def test_until_a_run_is_finished_nothing_is_shown_that_a_new_drawing_would_load_or_close():
    page = Artifact("page", "system.HTML", "/page")
    tasks = [samples.task("t", outputs={"page": page}), Task("u", "u", RUNNING)]
    live = draw_run(run_of(*tasks, state=RUNNING), {"/page": "<p>hi"}, now=samples.NOW)["text/html"]
    assert "<iframe" not in live
    assert "<details" not in live
    done = draw_run(run_of(*tasks), {"/page": "<p>hi"}, now=samples.NOW)["text/html"]
    assert "<iframe" in done
    assert "<details" in done


def test_a_graph_gives_way_to_a_narrow_page():
    html = draw_run(run_of(*sweep(VALUES)), now=samples.NOW)["text/html"]
    (graph,) = reading.read(html).tags("svg")
    assert "width:100%;max-width:" in graph["style"]
    assert "height" not in graph
