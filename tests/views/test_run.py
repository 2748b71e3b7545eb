from dataclasses import replace

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb import entities
from kfnb.entities import Artifact, RunSnapshot, RunState, Task, TaskError
from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.states import overall, style_of
from kfnb.ui.words import TIMES


def html_of(run, contents=None):
    return draw_run(run, contents or {}, now=samples.NOW)["text/html"]


def text_of(run, contents=None):
    return draw_run(run, contents or {}, now=samples.NOW)["text/plain"]


def run_of(*tasks, state=RunState.SUCCEEDED, **fields):
    return RunSnapshot(id="r1", name="r", pipeline="p", backend="local", state=state, tasks=tasks, **fields)


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_is_a_word_and_an_icon_of_its_own(state):
    run = run_of(Task("a", "a", state=state), state=state)
    said = f"{style_of(state).icon} {state.value.capitalize()}"
    assert said in text_of(run)
    assert ["a", said] == reading.rows(html_of(run))[1][:2]
    assert len({style_of(other).icon for other in RunState}) == len(RunState)


def test_what_went_wrong_comes_before_all_else():
    text = text_of(samples.failed())
    html = reading.read(html_of(samples.failed())).text
    expected = (
        "Failed",
        "train failed (cell train [3], line 2)",
        "Traceback",
        "Never ran",
        "Arguments",
        "Tasks",
    )
    for shown in (text, html):
        order = [shown.index(part) for part in expected]
        assert order == sorted(order)
        assert "Never ran because of it: evaluate, deploy" in shown
    assert "<pre" in html_of(samples.failed())


def test_the_runs_own_error_is_not_said_twice():
    assert (
        text_of(samples.failed()).count("Input X contains NaN") == 2
    )  # the message and the traceback's last line
    unlike = replace(samples.failed(), error="the run took longer than 10 s")
    assert "the run took longer than 10 s" in text_of(unlike)


def test_a_run_that_failed_without_a_task_says_why():
    assert "✗ The run failed\nno such image" in text_of(run_of(state=RunState.FAILED, error="no such image"))


def test_a_failed_task_without_a_message_points_to_its_log():
    run = run_of(Task("a", "a", state=RunState.FAILED), state=RunState.FAILED)
    assert "✗ a failed\nIt left no message; its log may say why." in text_of(run)


def test_a_task_that_ran_in_spite_of_a_failure_is_not_said_to_be_blocked():
    run = run_of(
        Task("a", "a", state=RunState.FAILED),
        samples.task("cleanup", needs=["a"]),
        Task("b", "b", needs=("a",)),
        Task("c", "c", needs=("b",), state=RunState.SKIPPED),
        Task("d", "d", needs=("cleanup",)),
        state=RunState.FAILED,
    )
    assert "Never ran because of it: b, c\n" in text_of(run)


def test_of_many_failures_the_first_three_are_told_in_full():
    error = TaskError("boom")
    tasks = [Task(f"t{index}", f"t{index}", state=RunState.FAILED, error=error) for index in range(5)]
    text = text_of(run_of(*tasks, state=RunState.FAILED))
    assert text.count("boom") == 3
    assert "2 more failed: t3, t4" in text


def test_a_groups_failure_is_told_by_the_task_in_it():
    run = run_of(
        Task("g", "g", group=True, state=RunState.FAILED, error=TaskError("a task failed")),
        Task("g/a", "a", parent="g", state=RunState.FAILED, error=TaskError("boom")),
        state=RunState.FAILED,
    )
    assert "✗ a failed\nboom" in text_of(run)
    assert "a task failed" not in text_of(run)


def flat_loop(count):
    """A loop as a backend writes it that knows no groups for iterations."""
    yield Task("loop", "loop", group=True, state=RunState.SUCCEEDED)
    for index in range(count):
        for name in ("train", "evaluate"):
            yield Task(f"loop/{index}/{name}", name, parent="loop", iteration=index, state=RunState.SUCCEEDED)


def nested_loop(count):
    """The same with a group for each iteration."""
    yield Task("loop", "loop", group=True, state=RunState.SUCCEEDED)
    for index in range(count):
        yield samples.iteration("loop", index)
        for name in ("train", "evaluate"):
            yield Task(f"loop/{index}/{name}", name, parent=f"loop/{index}", state=RunState.SUCCEEDED)


@pytest.mark.parametrize("loop", [flat_loop, nested_loop])
def test_a_loops_iterations_are_counted_and_drawn_once(loop):
    html = html_of(run_of(*loop(5)))
    drawn = html[html.index("<svg") : html.index("</svg>")]
    assert drawn.count(">train</text>") == 1
    assert drawn.count(f"{TIMES}5</text>") == 2
    assert f"loop {TIMES} 5</tspan>" in drawn
    table = reading.rows(html)
    assert ["loop", "✓ Succeeded", "5 iterations"] in table
    assert [row[0].strip() for row in table[2:]] == [f"[{index}] train · evaluate" for index in range(5)]


def test_loops_in_loops_are_told_apart_by_all_their_indices():
    inner = [
        Task(f"a/{i}/b/{j}/t", "t", parent=f"a/{i}/b", iteration=j, state=RunState.SUCCEEDED)
        for i in range(2)
        for j in range(3)
    ]
    groups = [Task(f"a/{i}/b", "b", RunState.SUCCEEDED, "a", group=True, iteration=i) for i in range(2)]
    html = html_of(run_of(Task("a", "a", RunState.SUCCEEDED, group=True), *groups, *inner))
    assert f"{TIMES}6</text>" in html
    labels = [row[0].strip() for row in reading.rows(html)]
    assert labels == ["Task", "a", f"[0] t {TIMES} 3", f"[1] t {TIMES} 3"]


def test_of_a_long_loop_the_failed_iterations_are_shown_and_the_rest_counted():
    tasks = list(nested_loop(100))
    tasks = [replace(task, state=RunState.FAILED) if task.id == "loop/70/train" else task for task in tasks]
    text = text_of(run_of(*tasks))
    assert "[70] ✗ train · ✓ evaluate  ✗ Failed" in text
    assert "[19] train" not in text
    assert "… 80 more iterations: 80 Succeeded" in text
    assert "1 of 100 failed" in html_of(run_of(*tasks))


def test_the_time_of_a_running_task_is_counted_until_now():
    assert ["features", "● Running", "12 s"] in reading.rows(html_of(samples.running()))
    assert "Running · 12 s</text>" in html_of(samples.running())


def test_a_run_without_tasks_says_so():
    assert "No task has appeared yet." in text_of(run_of(state=RunState.PENDING))
    assert "<svg" not in html_of(run_of(state=RunState.PENDING))


def test_after_github_has_cleaned_it_the_table_of_tasks_still_reads():
    html = html_of(samples.succeeded(), samples.CONTENTS)
    text = reading.read(html, reading.REMOVED).text
    assert "✓ Succeeded" in text.splitlines()[0]
    table = reading.rows(html)
    assert ["load", "✓ Succeeded", "0.1 s", "cached", "rows = 300", "rows = 300, data: Dataset"] in table
    assert [
        "    [0] train · evaluate",
        "✓ Succeeded",
        "4.0 s",
        "",
        "C = 0.1",
        "accuracy = 0.9, model: Model",
    ] in table
    assert "style" not in {tag for tag, _ in reading.read(html).elements}


def test_where_a_viewer_keeps_the_words_of_a_removed_picture_they_stand_apart():
    text = reading.read(html_of(samples.failed())).text
    assert "train\nFailed · 4.1 s\n" in text


def test_tables_name_their_headers():
    page = reading.read(html_of(samples.succeeded()))
    assert {cell["scope"] for cell in page.tags("th")} == {"col", "row"}
    assert all(table["aria-label"] for table in page.tags("table"))


def test_pictures_say_what_they_show():
    page = reading.read(html_of(samples.succeeded()))
    pictures = page.tags("svg")
    assert len(pictures) == 2
    assert all(picture["role"] == "img" for picture in pictures)
    assert pictures[0]["aria-label"] == "Graph of churn: 10 Succeeded, 3 Skipped"
    assert page.tags("title")


def test_metrics_are_a_table():
    rows = reading.rows(html_of(samples.succeeded()))
    assert ["accuracy", "0.9432"] in rows
    assert ["rows", "268"] in rows


def test_metrics_of_a_loop_are_one_table_with_a_row_for_each_iteration():
    tasks = [
        Task(f"l/{i}/t", "t", parent="l", iteration=i, state=RunState.SUCCEEDED,
             outputs={"scores": Artifact("scores", "system.Metrics", "/m", {"f1": i / 2})})
        for i in range(3)
    ]  # fmt: skip
    text = text_of(run_of(Task("l", "l", group=True), *tasks))
    said = [line.split() for line in text.splitlines()]
    assert said[-12:-7] == [
        ["Iteration", "f1"],
        ["─────────", "───"],
        ["[0]", "0.0"],
        ["[1]", "0.5"],
        ["[2]", "1.0"],
    ]


def test_a_page_stands_in_a_frame_that_can_do_nothing():
    page = reading.read(html_of(samples.succeeded(), samples.CONTENTS))
    (frame,) = page.tags("iframe")
    assert frame["sandbox"] == ""
    assert "allow" not in frame
    assert "src" not in frame
    assert frame["srcdoc"].endswith(samples.CONTENTS["/runs/page.html"])
    inner = reading.read(frame["srcdoc"].removeprefix("<!doctype html>"))
    assert "default-src 'none'" in inner.tags("meta")[0]["content"]


def test_text_shows_markdown_as_it_was_written():
    assert "    # Notes\n\n    * 3 values of `C` tried" in text_of(samples.succeeded(), samples.CONTENTS)


def test_an_artifact_whose_content_nobody_read_is_shown_by_its_address():
    page = reading.read(html_of(samples.succeeded()))
    assert page.tags("iframe") == []
    assert ["report", "page", "HTML", "/runs/page.html"] in reading.rows(html_of(samples.succeeded()))


def test_an_address_is_never_a_link():
    artifact = Artifact("a", "system.Dataset", "javascript:alert(1)")
    page = reading.read(html_of(run_of(samples.task("t", outputs={"a": artifact}), result={"a": artifact})))
    assert not any("href" in attributes for _, attributes in page.elements)


def test_artifacts_in_lists_are_found_and_counted():
    artifacts = [Artifact(f"a{index}", "system.Dataset", f"/a{index}") for index in range(2)]
    run = run_of(samples.task("t", outputs={"parts": artifacts}), result={"parts": artifacts})
    assert ["parts", f"2 {TIMES} Dataset"] in reading.rows(html_of(run))
    assert f"parts: 2 {TIMES} Dataset" in text_of(run)
    assert all(f"/a{index}" in html_of(run) for index in range(2))


def test_a_tree_that_goes_round_is_still_drawn():
    tasks = (
        Task("a", "a", parent="b", group=True, needs=("b",)),
        Task("b", "b", parent="a", group=True, needs=("a",)),
        Task("c", "c", parent="nowhere", needs=("nothing", "c")),
        Task("d", "d", parent="d"),
    )
    text = text_of(run_of(*tasks))
    assert all(f"\n{name} " in text for name in "abcd")


def test_text_is_at_most_100_columns_but_for_what_is_to_be_copied():
    tasks = [
        samples.task(
            "a-very-long-name-of-a-task" * 2, inputs={"text": "word " * 60}, metrics={"m" * 40: 1.23}
        )
    ]
    assert max(map(len, text_of(run_of(*tasks)).splitlines())) <= 100


def test_several_tasks_are_in_the_state_that_tells_most():
    s = RunState
    assert overall([s.SUCCEEDED, s.RUNNING, s.FAILED]) is s.FAILED
    assert overall([s.SUCCEEDED, s.PENDING]) is s.RUNNING
    assert overall([s.PENDING, s.PENDING]) is s.PENDING
    assert overall([s.SUCCEEDED, s.SKIPPED]) is s.SUCCEEDED
    assert overall([s.SKIPPED, s.SKIPPED]) is s.SKIPPED


def test_every_state_of_the_model_has_a_look():
    assert all(style_of(state).word for state in entities.RunState)


def test_what_has_no_effect_here_is_said_with_the_run() -> None:
    run = RunSnapshot("r1", "name", "churn", "local", notes=("node selectors have no effect <here>",))
    drawn = draw_run(run)
    assert "node selectors have no effect <here>" in drawn["text/plain"]
    assert "node selectors have no effect &lt;here&gt;" in drawn["text/html"]
