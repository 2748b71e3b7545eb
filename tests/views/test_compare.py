"""Runs side by side."""

import dataclasses

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.resources.runs.comparison import compared
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.ui.words import TIMES, width


def bundle_of(*runs, whole=False):
    return draw_comparison(compared(runs, whole=whole), now=samples.NOW)


def text_of(*runs, **more):
    return bundle_of(*runs, **more)["text/plain"]


def html_of(*runs, **more):
    return bundle_of(*runs, **more)["text/html"]


def run(run_id="r1", *, tasks=(), **fields):
    return RunSnapshot(run_id, "p", "p", "local", RunState.SUCCEEDED, tasks=tasks, **fields)


@pytest.fixture
def runs():
    return samples.runs_to_compare()


def test_the_runs_come_first_and_are_called_by_letters(runs):
    rows = reading.rows(html_of(*runs))
    assert rows[0] == ["Run", "Id", "Name", "State", "Started", "Time", "Error"]
    assert [row[:2] for row in rows[1:4]] == [
        ["■ A", "261124-063722-123x"],
        ["■ B", "261124-064001-770k"],
        ["■ C", "261124-070512-031c"],
    ]
    assert rows[3][3] == "✗ Failed"


def test_what_differs_is_shown_and_what_does_not_is_out_of_sight(runs):
    text = text_of(*runs)
    assert "Argument  A    B    C\n────────  ───  ───  ────\nC         0.5  1.0  10.0" in text
    assert "train: packages  pandas==2.3.1  pandas==2.2.0  pandas==2.3.1" in text
    assert "scikit-learn" not in text
    assert text.endswith("The same in all (shown with --all): rows, url, python, platform, kfp, train: image")


def test_a_page_has_what_does_not_differ_too_folded(runs):
    html = html_of(*runs)
    assert len(reading.read(html).tags("details")) == 1
    assert ["rows", "300", "argument"] in reading.rows(html)


def test_all_is_shown_where_that_is_asked_for(runs):
    bundle = bundle_of(*runs, whole=True)
    assert not reading.read(bundle["text/html"]).tags("details")
    assert "url           https://example.org/churn.csv  argument" in bundle["text/plain"]


def test_metrics_are_compared_turn_by_turn_and_two_runs_with_their_difference(runs):
    rows = reading.rows(html_of(*runs[:2]))
    assert ["Metric", "A", "B", "B \N{MINUS SIGN} A"] in rows
    assert ["evaluate.accuracy", "0.9432", "0.9518", "+0.0086"] in rows
    assert [row[0] for row in rows if row[0].startswith("sweep")] == [
        *(f"sweep.score [{turn}]" for turn in range(3)),
        "sweep",
    ]


def test_the_longest_bar_is_that_of_the_greatest_number():
    html = html_of(run("a", metrics={"t.m": 1, "t.n": -4}), run("b", metrics={"t.m": 4, "t.n": 2}))
    cells = [cell["style"] for cell in reading.read(html).tags("td") if "gradient" in cell["style"]]
    shares = [style.partition(".28) ")[2].partition("%")[0] for style in cells]
    assert shares == ["25.0", "100.0", "100.0", "50.0"]


def test_a_metric_that_is_no_number_or_is_missing_has_no_bar_and_no_difference():
    html = html_of(run("a", metrics={"t.m": "x", "t.n": 1}), run("b", metrics={"t.n": float("inf")}))
    assert ["t.m", "x", "", ""] in reading.rows(html)
    assert ["t.n", "1", "inf", ""] in reading.rows(html)


def test_curves_that_two_runs_have_are_drawn_over_each_other(runs):
    text = text_of(*runs)
    assert "train.loss\n  A  █" in text
    assert "evaluate: ROC curve\n  A  " in text
    assert text.count("AUC") == 2
    titles = [line for line in text.splitlines() if line in ("train.loss", "train.lr")]
    assert titles == ["train.loss", "train.lr"]
    assert "Curves" not in text_of(runs[0], runs[2])


def test_curves_of_loops_are_told_apart_by_their_turns():
    loss = Artifact("m", "system.Metrics", "/m", {"kfnb_curves": {"loss": [[0, 1.0], [1, 0.5]]}})
    turns = [samples.task("t", parent=f"l/{index}", outputs={"m": loss}) for index in range(2)]
    tasks = (samples.task("l", group=True), *(samples.iteration("l", index) for index in range(2)), *turns)
    text = text_of(run("a", tasks=tasks), run("b", tasks=tasks))
    labels = [line.split("█")[0].strip() for line in text.splitlines() if "█▁" in line]
    assert labels == ["A [0]", "A [1]", "B [0]", "B [1]"]


def test_tasks_have_their_states_and_how_long_they_took(runs):
    rows = reading.rows(html_of(*runs))
    assert ["load", "cached 0.1 s", "cached 0.1 s", "cached 0.1 s"] in rows
    assert ["train", "9.0 s", "14 s", "✗ Failed 7.0 s"] in rows
    assert ["sweep", f"7.5 s {TIMES} 3", f"7.5 s {TIMES} 3", ""] in rows
    assert ["evaluate", "2.5 s", "3.0 s", "○ Pending"] in rows


def test_the_pipeline_is_told_of_each_run_where_they_differ(runs):
    other = dataclasses.replace(runs[1], pipeline="other")
    assert text_of(*runs).startswith("3 runs of churn\n")
    assert text_of(runs[0], other).startswith("2 runs\n")
    assert "Pipeline" in reading.rows(html_of(runs[0], other))[0]


def test_a_comparison_reads_where_pictures_and_styles_are_removed(runs):
    page = reading.read(html_of(*runs), reading.REMOVED)
    assert "train.loss" in page.text
    assert "1.0 → 0.0103724" in page.text.replace("A ", "")


def test_a_comparison_fits_a_terminal(runs):
    assert max(map(width, text_of(*runs).splitlines())) <= 100


def test_many_runs_and_rows_can_be_compared():
    many = [run(f"r{index}", arguments={f"a{n}": index for n in range(300)}) for index in range(30)]
    text = text_of(*many)
    assert "… 100 more" in text
    assert "■ A2  r26" in text


def test_runs_that_do_not_differ_say_so_by_what_is_the_same():
    text = text_of(run("a", arguments={"C": 1}), run("b", arguments={"C": 1}))
    assert "Arguments" not in text
    assert text.endswith("The same in all (shown with --all): C")
