"""What the processes of a training report adds up to their state, and is drawn as rows."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities import LogLine, Rank, RunSnapshot, RunState, Task
from kfnb.resources.runs.rank_fold import MOST, ended, merged
from kfnb.resources.runs.view.rank_curves import curve_plots
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.runs.wire import RunWire
from kfnb.text.logs import log_filter
from kfnb.text.quantity import part, times
from kfnb.text.ranks import DeclaredTraining, declared_training, processes_of, split_rank


def test_what_is_new_is_added_to_what_is_known() -> None:
    ranks = merged(
        (), {"1": {"state": "RUNNING", "pid": 7, "metrics": {"a": 1.0}}, "0": {"state": "RUNNING"}}
    )
    ranks = merged(ranks, {"1": {"state": "FAILED", "exit": 3, "metrics": {"b": 2.0}, "of a newer kfnb": 1}})
    assert [one.number for one in ranks] == [0, 1]
    assert ranks[1] == Rank(1, RunState.FAILED, exit_code=3, metrics={"a": 1.0, "b": 2.0})


def test_ranks_whose_end_was_not_reported_are_canceled_when_their_task_ends() -> None:
    ranks = (Rank(0, RunState.RUNNING), Rank(1, RunState.SUCCEEDED), Rank(2))
    assert [one.state for one in ended(ranks)] == [
        RunState.CANCELED,
        RunState.SUCCEEDED,
        RunState.CANCELED,
    ]


@given(st.lists(st.integers(1, 30), max_size=60))
def test_a_curve_keeps_its_first_and_its_last_point_and_is_never_long(batches: list[int]) -> None:
    ranks: tuple[Rank, ...] = ()
    step = 0
    for count in batches:
        points = [[step + n, {"loss": float(step + n)}] for n in range(count)]
        step += count
        ranks = merged(ranks, {"0": {"points": points}})
    curve = ranks[0].curves["loss"] if ranks else ()
    assert len(curve) <= MOST
    assert [at for at, _ in curve] == sorted({at for at, _ in curve})
    if step:
        assert (curve[0][0], curve[-1][0]) == (0, step - 1)


def test_a_task_shows_a_row_for_each_rank_and_the_failed_ones_of_many() -> None:
    ranks = (
        Rank(0, RunState.RUNNING, "pod-0", None, 1, 0.0, None, 0.25, 10, {"loss": 0.5}),
        Rank(1, RunState.FAILED, "pod-1", 137, 1, 0.0, 2.0, silent=True),
    )
    text = draw_task(Task("fit", "fit", RunState.FAILED, ranks=ranks), now=5.0)["text/plain"]
    assert "fit · 2 ranks" in text
    row = next(line for line in text.splitlines() if "137" in line)
    assert {"1", "Failed", "pod-1", "137"} <= {*row.split()}
    assert "25%" in text
    assert "loss" in text
    many = tuple(Rank(n, RunState.FAILED if n == 99 else RunState.SUCCEEDED) for n in range(100))
    text = draw_task(Task("fit", "fit", RunState.FAILED, ranks=many), now=5.0)["text/plain"]
    assert "Failed" in next(line for line in text.splitlines() if line.split()[:1] == ["99"])
    assert "… 36 more" in text


def test_the_lines_of_one_rank_are_selected_without_its_number() -> None:
    lines = [LogLine("fit", text) for text in ("[rank 1] one", "rank 0 failed", "[rank 11] two", "[rank 1] ")]
    chosen = log_filter(rank=1).chosen([*lines, None])
    assert [line and line.text for line in chosen] == ["one", "", None]


@given(st.integers(0, 10**6), st.text())
def test_a_line_of_a_rank_comes_apart_again(rank: int, text: str) -> None:
    assert split_rank(f"[rank {rank}] {text}") == (rank, text)


def test_a_program_declares_its_processes() -> None:
    for one in DeclaredTraining(1, 3, restarts=2), DeclaredTraining(2, 3, "jax", "mine", 'a "queue"', 1):
        lines = "\n    ".join(one.comments())
        found = declared_training(f"def f():\n    {lines}\n    pass")
        assert found == (one if one.nodes > 1 else DeclaredTraining(1, 3))
    assert processes_of(f"def f():\n    {lines}\n    pass") == 6
    assert processes_of("print('# kfnb: trained by 2 x 3 processes')") == 0


@pytest.mark.parametrize(
    ("one", "three"), [("500m", "1500m"), ("2", "6"), ("1.5", "4.5"), ("4G", "12G"), ("512Mi", "1536Mi")]
)
def test_what_a_process_requests_is_multiplied(one: str, three: str) -> None:
    assert times(one, 3) == three
    assert part(three, 3) == one


def running(count: int, points: int = 200) -> RunSnapshot:
    """A run of one training, whose ranks have logged by step."""
    curve = tuple((float(step), 1 / (step + 1)) for step in range(points))
    ranks = tuple(
        Rank(
            n,
            RunState.RUNNING,
            started=0.0,
            progress=0.5,
            step=points,
            metrics={"loss": 0.5},
            curves={"loss": tuple((step, value + n) for step, value in curve), "accuracy": curve},
            rate=12.5,
            expected=70.0,
            memory=300_000_000,
            peak=400_000_000,
            cpu=0.98,
        )
        for n in range(count)
    )
    return RunSnapshot(
        "r",
        "r",
        "p",
        "local",
        state=RunState.RUNNING,
        tasks=(Task("fit", "fit", RunState.RUNNING, ranks=ranks),),
    )


def test_a_training_tells_how_far_it_is_how_fast_and_what_it_uses() -> None:
    text = draw_task(running(2).tasks[0], now=10.0)["text/plain"]
    assert "50% done · 1 min 00 s left · 12.5 steps a second · 600 MB of memory · 2.0 cores" in text
    row = next(line for line in text.splitlines() if line.split()[:1] == ["1"])
    assert {"50%", "12.5", "98%"} <= {*row.split()}
    assert "300 MB" in row
    ended = replace(running(1).tasks[0].ranks[0], state=RunState.SUCCEEDED, exit_code=0)
    text = draw_task(Task("fit", "fit", RunState.SUCCEEDED, ranks=(ended,)), now=10.0)["text/plain"]
    assert "12.5 steps a second · at most 400 MB of memory · 1.0 cores on average" in text
    assert "left" not in text


def test_a_metrics_curve_is_the_mean_of_all_ranks_with_their_range() -> None:
    first, second = (Rank(n, curves={"loss": points}) for n, points in enumerate((LONGER, SHORTER)))
    [plot] = curve_plots((first, second), alone=False)
    [line] = plot.lines
    assert [*line.points] == [(0.0, 4.0), (1.0, 3.0), (2.0, 2.5), (3.0, 1.0)]
    assert [*line.band] == [(0.0, 4.0, 4.0), (1.0, 2.0, 4.0), (2.0, 2.0, 3.0), (3.0, 1.0, 1.0)]
    assert [*curve_plots((first,), alone=False)] == []
    ahead = (*(Rank(n, curves={"loss": SHORTER}) for n in range(4)), Rank(4, curves={"loss": LONGER}))
    [plot] = curve_plots(ahead, alone=False)
    assert [step for step, _ in plot.lines[0].points] == [1.0, 2.0], "one rank ahead of all is not a mean"
    [alone] = curve_plots((first,), alone=True)
    assert not alone.lines[0].band


LONGER = ((0.0, 4.0), (1.0, 4.0), (2.0, 3.0), (3.0, 1.0))
SHORTER = ((1.0, 2.0), (2.0, 2.0))


@given(
    st.lists(st.dictionaries(st.integers(-5, 5), st.floats(-1e9, 1e9), min_size=1), min_size=1, max_size=5)
)
def test_a_mean_is_within_its_range_wherever_ranks_have_logged(logged: list[dict[int, float]]) -> None:
    ranks = [Rank(n, curves={"m": tuple(one.items())}) for n, one in enumerate(logged)]
    [plot] = curve_plots(ranks, alone=True)
    [line] = plot.lines
    for (step, mean), (there, low, high) in zip(line.points, line.band, strict=False):
        assert step == there
        assert low - 1 <= mean <= high + 1
    plot.to_html()
    plot.to_text()


def test_the_page_is_told_of_ranks_once_for_each_change_of_them() -> None:
    old, wire = running(2), RunWire()
    assert "Running" in wire.whole(old).parts[0]["ranks"]
    fit = old.tasks[0]
    assert wire.change(old, replace(old, tasks=(replace(fit, attempts=2),))).parts == [
        {"id": "fit", "attempts": 2}
    ]
    failed = replace(fit.ranks[1], state=RunState.FAILED, exit_code=3)
    [part] = wire.change(old, replace(old, tasks=(replace(fit, ranks=(fit.ranks[0], failed)),))).parts
    assert {*part} == {"id", "ranks"}
    assert "Failed" in part["ranks"]
    assert wire.change(old, replace(old, tasks=(replace(fit, ranks=()),))).parts == [
        {"id": "fit", "processes": 0, "ranks": ""}
    ]


def test_64_ranks_are_told_in_less_than_200_kilobytes() -> None:
    [part] = RunWire().whole(running(64)).parts
    assert part["processes"] == 64
    assert len(part["ranks"]) < 200_000
    [more] = RunWire().whole(running(500)).parts
    assert len(more["ranks"]) < 200_000


def test_curves_of_64_ranks_fold_fast_enough_for_a_day() -> None:
    ranks: tuple[Rank, ...] = ()
    began = time.process_time()
    for event in range(100):
        points = [[event * 40 + n, {"loss": 1.0}] for n in range(40)]
        ranks = merged(ranks, {str(rank): {"points": points} for rank in range(64)})
    assert (time.process_time() - began) / 100 < 0.05, "a day has some 3,000 events"
