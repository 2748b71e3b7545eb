"""What the processes of a training report adds up to their state, and is drawn as rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities import LogLine, Rank, RunState, Task
from kfnb.resources.runs.rank_fold import MOST, ended, merged
from kfnb.resources.runs.view.task import draw_task
from kfnb.text.logs import log_filter
from kfnb.text.quantity import times
from kfnb.text.ranks import processes_of, ranks_comment, split_rank


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
    assert "loss = 0.5" in text
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
    assert processes_of(f"def f():\n    {ranks_comment(2, 3)}\n    pass") == 6
    assert processes_of("print('# kfnb: trained by 2 x 3 processes')") == 0


@pytest.mark.parametrize(
    ("one", "three"), [("500m", "1500m"), ("2", "6"), ("1.5", "4.5"), ("4G", "12G"), ("512Mi", "1536Mi")]
)
def test_what_a_process_requests_is_multiplied(one: str, three: str) -> None:
    assert times(one, 3) == three
