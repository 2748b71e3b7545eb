"""Explanations as people read them: which outputs a prediction is about."""

from __future__ import annotations

from typing import Any

import pytest

from kfnb.resources.services.answers import Explanations, RowExplanation
from kfnb.resources.services.view.answers import draw_explanations


def explained(prediction: Any, outputs: tuple[str, ...]) -> RowExplanation:
    shares = tuple((float(place), 0.5) for place, _ in enumerate(outputs))
    return RowExplanation(
        prediction,
        outputs,
        ("a", "b"),
        tuple(1.0 for _ in outputs),
        tuple(1.5 + place for place, _ in enumerate(outputs)),
        shares,
    )


@pytest.mark.parametrize(
    ("prediction", "outputs", "about"),
    [
        ("yes", ("no", "yes"), ["yes"]),
        (True, ("False", "True"), ["True"]),
        (7.5, ("0",), ["0"]),
        ("other", ("no", "yes"), ["yes"]),
        ([7.5, 8.5], ("0", "1"), ["0", "1"]),
        ({"low": 1.0, "high": 2.0}, ("0", "1"), ["0", "1"]),
        (["x", 3], ("0: w", "0: x", "1: 3", "1: 4"), ["0: x", "1: 3"]),
    ],
)
def test_there_is_a_row_for_each_output_that_a_prediction_is_about(
    prediction: Any, outputs: tuple[str, ...], about: list[str]
) -> None:
    frame = Explanations([explained(prediction, outputs)]).to_frame()
    assert frame.output.tolist() == about
    assert frame.a.tolist() == [float(outputs.index(one)) for one in about]
    assert list(frame.columns) == ["prediction", "output", "base", "a", "b"]


def test_one_output_can_be_chosen() -> None:
    frame = Explanations([explained([7.5, 8.5], ("0", "1"))] * 2).to_frame("0")
    assert frame.output.tolist() == ["0", "0"]


def test_each_output_is_drawn() -> None:
    drawn = draw_explanations([explained([7.5, 8.5], ("height", "width"))])["text/plain"]
    assert "height: 1.5, on average 1" in drawn
    assert "width: 2.5, on average 1" in drawn
    many = tuple(f"out{place}" for place in range(8))
    assert "3 more outputs" in draw_explanations([explained([1.0] * 8, many)])["text/plain"]
