"""What a metric was step by step: read from a step's metadata, and drawn."""

import math

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb.entities import Artifact, RunSnapshot, RunState, Task
from kfnb.resources.runs.view.curves import MOST_LINES, Of, metric_plot
from kfnb.resources.runs.view.metric_history import read_curves
from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.plot import MOST_POINTS, axis, bars
from kfnb.ui.words import TIMES

CURVES = {"loss": [[0, 1.0], [1, 0.5], [2, 0.25]]}


def run_of(*tasks):
    return RunSnapshot("r1", "r", "p", "local", RunState.SUCCEEDED, tasks=tasks)


def metrics(**metadata):
    return Artifact("kf_metrics", "system.Metrics", "/m", metadata)


def test_curves_are_points_by_metric():
    assert read_curves({"loss": 0.25, "kfnb_curves": CURVES}) == {"loss": ((0, 1.0), (1, 0.5), (2, 0.25))}


def test_what_the_metadata_store_wraps_is_unwrapped():
    assert read_curves({"kfnb_curves": {"struct": CURVES}}) == read_curves({"kfnb_curves": CURVES})
    assert read_curves({"kfnb_curves": {"struct": [[0, 1]]}}) == {
        "struct": ((0, 1),)
    }  # a metric of that name


@pytest.mark.parametrize(
    "curves",
    [None, "x", [], {"loss": None}, {"loss": "ab"}, {"loss": [[1]]}, {"loss": [["a", 1], [True, 1], "ab", [0, math.nan],
     [0, math.inf], [0, 10**400], [1, 2, 3]]}],
)  # fmt: skip
def test_metadata_of_another_shape_is_no_curve(curves):
    assert read_curves({"kfnb_curves": curves}) == {}
    task = samples.task("t", outputs={"m": metrics(loss=1, kfnb_curves=curves)})
    assert "kfnb_curves" not in "".join(draw_run(run_of(task)).values())


def test_a_run_shows_the_curves_of_a_task_and_their_ends_in_words():
    run = run_of(samples.task("train", outputs={"m": metrics(loss=0.25, kfnb_curves=CURVES)}))
    bundle = draw_run(run)
    assert "loss\n  █▃▁  1.0 → 0.25" in bundle["text/plain"]
    assert ["loss", "0.25"] in reading.rows(bundle["text/html"])
    assert (
        "1.0 → 0.25" in reading.read(bundle["text/html"], reading.REMOVED).text
    )  # where pictures are removed


def test_the_turns_of_a_loop_are_lines_of_one_plot():
    turns = [
        Task(
            f"l/{index}/t",
            "t",
            RunState.SUCCEEDED,
            "l",
            iteration=index,
            inputs={"C": index},
            outputs={"m": metrics(loss=0.25, kfnb_curves=CURVES)},
        )
        for index in range(MOST_LINES + 3)
    ]
    run = run_of(Task("l", "l", RunState.SUCCEEDED, group=True), *turns)
    text = draw_run(run)["text/plain"]
    assert f"t {TIMES} {MOST_LINES + 3}" in text
    assert "  [0] C = 0    █▃▁  1.0 → 0.25" in text
    assert "  [11] C = 11  █▃▁  1.0 → 0.25\n  … 3 more" in text


@pytest.mark.parametrize(
    "points",
    [
        [(0, 1)],
        [(0, 0.0)] * 3,
        [(1, -1e99), (2, 1e99)],
        [(5, 1e-320), (6, 0.0)],
        [(3, 1e15), (2, 1e15 + 1)],
        [(step, math.sin(step)) for step in range(50_000)],
    ],
)
def test_any_points_make_a_plot_within_its_frame(points):
    plot = metric_plot("m", [(Of(), tuple(points))])
    (line,) = [
        one["d"] for one in reading.read(str(plot.to_html())).tags("path") if "stroke-width:2" in str(one)
    ]
    places = [pair.split() for pair in line[1:].split(" L")]
    assert 2 <= len(places) <= 2 * MOST_POINTS
    assert all(50 <= float(x) <= 360 and 8 <= float(y) <= 162 for x, y in places)


def test_ticks_are_round_numbers_within_the_axis():
    assert [round(tick, 6) for tick in axis("", [0.013, 0.98], 150).ticks] == [0.5]
    assert axis("", [0, 79], 300).ticks == (0, 20, 40, 60)
    assert axis("", [7, 7], 150).ticks


def test_ticks_of_whole_numbers_are_whole():
    assert axis("", [1, 3], 420, whole=True).ticks == (1, 2, 3)
    assert axis("", [1, 3], 420).ticks == (1, 1.5, 2, 2.5, 3)


def test_a_single_point_is_a_dot():
    plot = metric_plot("m", [(Of(), ((0, 1),))])
    assert "<circle" in str(plot.to_html())
    assert "<circle" not in str(metric_plot("m", [(Of(), ((0, 1), (1, 2)))]).to_html())


def test_many_values_are_a_few_bars():
    assert bars([(0, 1), (1, 2), (2, 3)]) == "▁▅█"
    assert bars([(0, 5)]) == "▁"
    assert len(bars([(step, step) for step in range(1001)])) == 40
