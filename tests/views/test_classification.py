import math

import pytest
import widget_samples as samples

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.resources.runs.view.classification import read_confusion, read_roc
from kfnb.resources.runs.view.run import draw_run

POINTS = [
    {"confidenceThreshold": 2.0, "recall": 0.0, "falsePositiveRate": 0.0},
    {"confidenceThreshold": 0.5, "recall": 1.0, "falsePositiveRate": 0.5},
]
MATRIX = {
    "annotationSpecs": [{"displayName": "no"}, {"displayName": "yes"}],
    "rows": [{"row": [3, 1]}, {"row": [0, 4]}],
}


def test_the_area_under_a_curve_is_that_of_its_trapezoids():
    assert read_roc({"confidenceMetrics": POINTS}).area == pytest.approx(0.75)
    diagonal = [{"recall": rate, "falsePositiveRate": rate} for rate in (0.2, 0.9)]
    assert read_roc({"confidenceMetrics": diagonal}).area == pytest.approx(0.5)


def test_a_perfect_curve_has_area_one():
    corner = [{"recall": 1.0, "falsePositiveRate": 0.0}]
    assert read_roc({"confidenceMetrics": corner}).area == 1


def test_a_threshold_may_be_infinite():
    first = {"confidenceThreshold": math.inf, "recall": 0.0, "falsePositiveRate": 0.0}
    assert read_roc({"confidenceMetrics": [first]}).area == 0.5


def test_what_the_metadata_store_wraps_is_unwrapped():
    assert read_roc({"confidenceMetrics": {"list": POINTS}}) == read_roc({"confidenceMetrics": POINTS})
    assert read_confusion({"confusionMatrix": {"struct": MATRIX}}).classes == ("no", "yes")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"confidenceMetrics": []},
        {"confidenceMetrics": "abc"},
        {"confidenceMetrics": [None]},
        {"confidenceMetrics": [{"recall": "1", "falsePositiveRate": 0}]},
        {"confidenceMetrics": [{"recall": math.nan, "falsePositiveRate": 0}]},
        {"confidenceMetrics": [{"recall": 7, "falsePositiveRate": 0}]},
        {"confusionMatrix": [1]},
        {"confusionMatrix": {"annotationSpecs": [1], "rows": [{"row": [1]}]}},
        {"confusionMatrix": {"annotationSpecs": [{"displayName": "a"}], "rows": [{"row": [1, 2]}]}},
        {"confusionMatrix": {"annotationSpecs": [{"displayName": "a"}], "rows": [{"row": ["x"]}]}},
        {"confusionMatrix": {"annotationSpecs": [{"displayName": "a"}], "rows": [{"row": [10**400]}]}},
    ],
)
def test_metadata_of_another_shape_is_no_curve_and_no_matrix(metadata):
    assert read_roc(metadata) is None
    assert read_confusion(metadata) is None
    artifact = Artifact("m", "system.ClassificationMetrics", "/m", metadata)
    run = RunSnapshot(
        "r", "r", "p", "local", RunState.SUCCEEDED, tasks=(samples.task("t", outputs={"m": artifact}),)
    )
    assert "ClassificationMetrics" in draw_run(run)["text/plain"]
    assert "/m" in draw_run(run)["text/html"]


def test_the_curve_and_the_matrix_are_shown_with_their_numbers():
    bundle = draw_run(samples.succeeded())
    assert "AUC 0.795</text>" in bundle["text/html"]
    assert "ROC curve of 31 points, area under the curve 0.795" in bundle["text/plain"]
    assert "leaves                 14      78       2" in bundle["text/plain"]


def test_a_long_curve_is_drawn_with_a_few_hundred_points():
    points = [{"recall": step / 50_000, "falsePositiveRate": step / 50_000} for step in range(50_000)]
    artifact = Artifact("m", "system.ClassificationMetrics", "/m", {"confidenceMetrics": points})
    run = RunSnapshot(
        "r", "r", "p", "local", RunState.SUCCEEDED, tasks=(samples.task("t", outputs={"m": artifact}),)
    )
    assert len(draw_run(run)["text/html"]) < 20_000
