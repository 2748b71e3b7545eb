"""A log as it is read: its levels, its progress bars, and which lines are shown of it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from kfnb.entities import LogLine
from kfnb.errors import UsageError
from kfnb.text.log_levels import LEVELS, Leveller
from kfnb.text.logs import ALL, LONGEST, Excerpt, last_state, log_filter, settled

SAMPLES = json.loads(
    (Path(__file__).parents[2] / "tests/views/golden/levels.json").read_text(encoding="utf-8")
)


def lines(*texts: str, task: str = "train", at: float | None = None) -> list[LogLine | None]:
    return [LogLine(task, text, at) for text in texts]


def texts(excerpt: Excerpt) -> list[str]:
    return [line.text for line in excerpt]


def test_each_line_is_of_the_level_that_its_logger_wrote() -> None:
    leveller = Leveller()
    assert [[line, LEVELS[leveller.level(line)]] for line, _ in SAMPLES] == SAMPLES


def test_a_level_leaves_out_what_is_less_and_keeps_records_whole() -> None:
    log = lines(
        "begin",
        "WARNING:a:careful",
        "  because",
        "INFO:a:on",
        "Traceback (most recent call last):",
        "  x",
        "E: y",
    )
    assert texts(Excerpt(log, log_filter(level="warning"))) == [
        *("WARNING:a:careful", "  because", "Traceback (most recent call last):", "  x", "E: y")
    ]
    assert texts(Excerpt(log, log_filter(level="error"))) == [
        "Traceback (most recent call last):",
        "  x",
        "E: y",
    ]


def test_lines_of_tasks_that_run_at_once_are_told_apart() -> None:
    mixed = [*lines("ERROR: a", task="a"), *lines("b", task="b"), *lines("  more of a", task="a")]
    assert texts(Excerpt(mixed, log_filter(level="error"))) == ["ERROR: a", "  more of a"]


def test_a_pattern_ignores_case_unless_it_has_capitals_and_colours_always() -> None:
    log = lines("Loss=1", "loss=2", "\x1b[31mlo\x1b[0mss=3", "other")
    assert len(texts(Excerpt(log, log_filter(grep=r"loss=\d")))) == 3
    assert texts(Excerpt(log, log_filter(grep="Loss"))) == ["Loss=1"]


def test_lines_from_before_are_left_out_where_their_time_is_known() -> None:
    now = time.time()
    log = [*lines("old", at=now - 700), *lines("no time"), *lines("new", at=now - 500)]
    assert texts(Excerpt(log, log_filter(since="10m"))) == ["no time", "new"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"grep": "("}, "not a regular expression: missing )"),
        ({"level": "warming"}, "unknown level; did you mean warning?"),
        ({"since": "yesterdy"}, "yesterdy"),
    ],
)
def test_what_means_nothing_is_refused(asked: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        log_filter(**asked)


def test_the_last_lines_are_shown_and_the_others_counted() -> None:
    excerpt = Excerpt(lines(*map(str, range(1000))), ALL, 3)
    assert texts(excerpt) == ["997", "998", "999"]
    assert (excerpt.left_out, excerpt.seen, excerpt.size) == (997, 1000, 10 + 90 * 2 + 900 * 3 + 1000)


def test_of_a_log_that_goes_on_the_last_lines_are_shown_and_then_what_comes() -> None:
    log = [*lines("1", "2", "3"), None, *lines("4"), None, *lines("5")]
    assert texts(Excerpt(log, ALL, 2)) == ["2", "3", "4", "5"]
    assert texts(Excerpt(log, ALL, 0)) == ["4", "5"]


def test_a_line_without_end_is_cut_in_an_excerpt_and_whole_where_all_is_asked_for() -> None:
    long = "x" * (LONGEST + 5)
    (cut,) = texts(Excerpt(lines(long), ALL, 200))
    assert cut == "x" * LONGEST + "… (5 more characters)"
    assert texts(Excerpt(lines(long))) == [long]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (" 10%\r 50%\r100%\r", ["100%"]),
        ("\r  0%|          | 0/9\r 33%|███▎      | 3/9\r 66%|██████▋   | 6/9", [" 66%|██████▋   | 6/9"]),
        (
            (
                "\r 0%|  | 0/10 [00:00<?, ?it/s]\r 90%|███▊ | 9/10 [00:01<00:00, 8.5it/s]"
                "\r 95%|███▊ | 9/10 [00:01<00:00, 8.5it/s]\r100%|████| 10/10 [00:01<00:00, 8.41it/s]saved the model"
            ),
            ["100%|████| 10/10 [00:01<00:00, 8.41it/s]", "saved the model"],
        ),
        ("epoch 1 loss=0.5\repoch 2 loss=0.4\repoch 3 loss=4.5e-3\r", ["epoch 3 loss=4.5e-3"]),
        ("1%\r2%\r3%done", ["3%", "done"]),
        ("1%\r2%\r3% done", ["3% done"]),
        ("reading\rwriting\rready", ["ready"]),
        ("windows\r", ["windows"]),
        ("\r", [""]),
    ],
)
def test_of_what_was_written_over_itself_the_last_state_is_left(text: str, left: list[str]) -> None:
    assert last_state(text) == left


def test_colours_stay_and_what_moves_a_cursor_does_not() -> None:
    (line,) = settled(lines("\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[1A!"))
    assert line is not None
    assert line.text == "\x1b[31mred\x1b[0m!"
