"""A study as HTML and as text: the best trial first, its charts, its trials."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import study_samples as samples
import widget_pages as reading
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kfnb.entities import RunState, TaskError
from kfnb.resources.studies.model import Dimension, Objective, StudyPlot, StudySnapshot, Trial, TrialState
from kfnb.resources.studies.view.dimensions import dimensions_of
from kfnb.resources.studies.view.progress import time_left
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.scale import dimension_scale, value_scale
from kfnb.resources.studies.view.studies import draw_studies
from kfnb.resources.studies.view.study import draw_study, draw_study_plot
from kfnb.resources.studies.view.trial import draw_trial
from kfnb.ui.mount_point import Home

CHARTS = ["history", "parallel", "slices", "importances", "curves"]


def html(study, **more):
    return draw_study(study, now=samples.NOW, **more)["text/html"]


def text(study):
    return draw_study(study, now=samples.NOW)["text/plain"]


def pictures(page):
    """What a screen reader says of the drawings."""
    return [svg["aria-label"] for svg in reading.read(page).tags("svg") if svg.get("role") == "img"]


def study_of(*trials, **more):
    return samples.bowl(0, trials=trials, state=more.pop("state", RunState.RUNNING), **more)


def done(number, value, **params):
    return Trial(
        number, TrialState.SUCCEEDED, params, value, started=samples.START, finished=samples.START + 10
    )


def test_the_best_trial_stands_before_the_charts_and_the_table():
    study = samples.bowl()
    said = reading.read(html(study)).text
    best = study.best
    assert f"loss = {best.value:.6g}" in said
    assert said.index("Best trial") < said.index("Optimization history") < said.index("Parallel coordinates")
    assert said.index("Parallel coordinates") < said.index("Trials\n")


def test_the_best_trial_is_compared_with_the_others_and_with_the_goal():
    study = study_of(done(0, 3.0), done(1, 1.0), done(2, 2.0), objective=Objective("loss", goal=0.5))
    said = " ".join(text(study).split())
    assert "Best trial (1): loss = 1" in said
    assert "the next best is 2 (trial 2); the median is 2; goal 0.5 not reached" in said


def test_a_study_that_maximizes_has_its_highest_value_as_the_best():
    study = samples.bowl(30, maximize=True)
    rows = reading.rows(html(study))
    values = [float(row[2]) for row in rows if row[1:2] == ["✓ Succeeded"]]
    assert values == sorted(values, reverse=True)


def test_the_median_of_two_trials_lies_between_them():
    assert "the median is 2" in " ".join(text(study_of(done(0, 3.0), done(1, 1.0))).split())


def test_every_chart_in_which_a_far_worse_trial_stands_at_the_edge_says_so():
    study = study_of(*(done(number, 1.0 + number / 10) for number in range(9)), done(9, 100.0))
    assert html(study).count("far worse ones are at the edge") == 3


def test_every_chart_is_drawn_and_says_what_is_to_be_seen():
    seen = pictures(html(samples.bowl()))
    assert any(
        re.match(r"loss of \d+ trials; the best so far improved \d times, to 0\.\d+", one) for one in seen
    )
    assert any("as lines over lr, layers, act, dropout, loss" in one for one in seen)
    assert [one.split(" (")[0] for one in seen if " over " in one][1:] == [
        f"loss over {name}" for name in ("lr", "layers", "act", "dropout")
    ]
    assert any("step by step in" in one and "stopped early" in one for one in seen)
    assert "Parameter importance" in [
        table["aria-label"] for table in reading.read(html(samples.bowl())).tags("table")
    ]


def test_without_styles_and_drawings_a_study_still_reads():
    """GitHub takes SVG out with all that is in it."""
    page = reading.read(html(samples.bowl()), reading.REMOVED)
    for words in ("Succeeded", "Best trial", "lr = ", "40 trials", "71%", "3 trials failed"):
        assert words in page.text
    assert ["lr", "71%"] in reading.rows(html(samples.bowl()))


def test_failed_trials_are_told_with_their_errors_each_reason_once():
    page = reading.read(html(samples.all_failed(6)))
    assert "Trials 0, 1, 2, 3, 4, 5 failed (cell bowl, line 4)" in page.text
    assert (
        page.text.count("ValueError: the loss is no number; <b>lr</b> is too large") == 7
    )  # and once in each row
    assert "No trial has a value yet." in page.text
    assert "3 trials failed, which is more than --max-failed 2" in page.text


def test_a_trial_without_a_metric_is_said_to_have_none():
    trial = Trial(0, TrialState.METRICS_UNAVAILABLE, {"x": 1})
    assert "Trial 0 had no metrics" in text(study_of(trial))


def test_a_study_without_trials_says_so():
    assert "No trial has begun yet." in text(samples.bowl(0))


def test_progress_tells_what_is_done_and_how_much_longer_it_takes():
    said = " ".join(text(samples.going_on(40, 26)).split())
    assert "26 of 40 trials · 22 succeeded, 3 early stopped, 1 failed, 2 running · about" in said
    assert "left" in said


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"max_trials": 10, "parallel": 1}, 80.0),
        ({"max_trials": 10, "parallel": 4}, 20.0),
        ({"max_trials": None, "timeout": 700.0}, 100.0),
        ({"max_trials": 10, "timeout": 610.0}, 10.0),
        ({"max_trials": 10, "timeout": 500.0}, 80.0),
        ({"max_trials": None}, None),
        ({"max_trials": 10, "state": RunState.SUCCEEDED}, None),
    ],
)
def test_the_time_left_follows_from_trials_that_ended_and_from_the_timeout(more, left):
    study = study_of(done(0, 1.0), done(1, 2.0), **({"parallel": 1} | more))
    assert time_left(study, samples.NOW) == (None if left is None else pytest.approx(left))


def test_a_study_that_cannot_be_read_says_why_in_the_list():
    broken = StudySnapshot(
        "s", "local", Objective(""), state=RunState.FAILED, error="events.db is no database"
    )
    said = draw_studies([samples.bowl(), broken])["text/plain"]
    assert said.endswith("s: events.db is no database")


def test_killed_trials_are_not_among_those_that_a_study_has_had():
    killed = replace(done(2, 1.0), state=TrialState.KILLED, value=None)
    study = study_of(done(0, 1.0), done(1, 2.0), killed, max_trials=10, parallel=1)
    assert "2 of 10 trials · 2 succeeded, 1 killed · about" in text(study)
    assert time_left(study, samples.NOW) == pytest.approx(80)
    assert "2 of 10" in draw_studies([study])["text/plain"]


def test_a_study_that_is_being_stopped_tells_no_time_left():
    said = text(replace(samples.going_on(), state=RunState.CANCELING))
    assert "being stopped" in said
    assert "left" not in said


def test_the_time_left_is_unknown_before_any_trial_has_ended():
    study = study_of(Trial(0, TrialState.RUNNING, started=samples.NOW), max_trials=10)
    assert "time left unknown" in text(study)


def test_notes_and_the_reason_of_the_end_are_told():
    said = text(replace(samples.bowl(), notes=("the seed is 3",), reason="goal reached"))
    assert "- the seed is 3" in said
    assert "goal reached" in said


def test_text_is_a_few_lines_with_the_ten_best_trials():
    lines = text(samples.bowl(100)).splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) <= 100
    assert "… 90 more trials; study.to_frame() has all of them" in lines


def test_ten_thousand_trials_stay_small_and_say_that_not_all_are_drawn():
    study = samples.bowl(10_000)
    page = html(study)
    assert len(page) < 250_000
    said = reading.read(page).text
    assert "10,000 trials: dots on each other are drawn once" in said
    assert re.search(r"300 of \d,\d{3} trials, the best 100 among them", said)
    assert re.search(r"80 of \d,\d{3} curves", said)
    assert "… 9,980 more trials" in said


def test_a_page_knows_where_a_study_goes_live():
    page = html(samples.bowl(1), home=Home("T", "study", "local/bowl"))
    assert reading.read(page).elements[0][1]["data-kfnb-id"] == "local/bowl"


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize(
    "study",
    [samples.bowl(), samples.bowl(0), samples.bowl(1, seed=2), samples.all_failed(), samples.choices_only()],
)
def test_one_chart_is_drawn_alone_whatever_there_is_to_draw(chart, study):
    bundle = draw_study_plot(StudyPlot(study, chart))
    reading.read(bundle["text/html"])
    assert bundle["text/plain"]


def test_the_text_of_a_history_tells_what_became_the_best_when():
    study = study_of(done(0, 3.0), done(1, 1.0), done(2, 2.0))
    said = draw_study_plot(StudyPlot(study, "history"))["text/plain"]
    assert said.splitlines()[2:] == ["  best so far", "  trial 0: 3", "  trial 1: 1"]


def test_studies_are_a_table_with_their_best():
    rows = reading.rows(draw_studies([samples.bowl(), samples.going_on()], now=samples.NOW)["text/html"])
    assert rows[0][:2] == ["Name", "State"]
    assert rows[2][1] == "● Running"
    assert rows[2][4] == "26 of 40"
    assert f"{samples.bowl().best.value:.5g}" in rows[1]
    assert draw_studies([])["text/plain"] == "No studies yet."


def test_a_trial_is_told_beside_the_best_one():
    study = samples.bowl()
    trial = study.trials[3]
    rows = reading.rows(draw_trial(study, trial)["text/html"])
    assert rows[0] == ["Parameter", "Trial 3", f"Best ({study.best.number})"]
    assert ["layers", str(trial.params["layers"]), str(study.best.params["layers"])] in rows
    failed = next(trial for trial in study.trials if trial.error)
    page = draw_trial(study, failed)["text/html"]
    assert 'role="alert"' in page
    assert "Traceback" in page


@pytest.mark.parametrize("draw", [draw_study, lambda study: draw_trial(study, study.trials[1])])
def test_nothing_of_a_study_becomes_markup(draw):
    bundle = draw(samples.hostile())
    page = reading.read(bundle["text/html"])
    assert not page.tags("script", "img")
    assert "<script>alert(1)</script>" in page.text


# what charts stand on


def test_a_parameter_that_the_space_does_not_name_reaches_as_far_as_its_values():
    trials = (done(0, 1.0, a=1e-5, b="x", c=True, d=2), done(1, 1.0, a=0.1, b="y", c=False, d=8))
    named = {dimension.name: dimension for dimension in dimensions_of(study_of(*trials, space=()))}
    assert named["a"] == Dimension("a", "float", 1e-5, 0.1, log=True)
    assert named["b"].choices == ("x", "y")
    assert named["c"].choices == (True, False)
    assert named["d"] == Dimension("d", "int", 2, 8)


def test_a_logarithmic_scale_has_its_decades_evenly_apart():
    scale = dimension_scale(Dimension("lr", "float", 1e-4, 1e-1, log=True))
    assert [scale.place(10.0**power) for power in (-4, -3, -2, -1)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert [words for _, words in scale.ticks] == ["0.0001", "0.001", "0.01", "0.1"]
    assert scale.place(0) == 0.0  # what lies beyond an end stands at it
    assert scale.place("a") is None


def test_choices_that_are_equal_but_of_other_types_have_their_own_places():
    scale = dimension_scale(Dimension("k", "choice", choices=(1, True, "1")))
    assert len({scale.place(1), scale.place(True), scale.place("1")}) == 3
    assert scale.place(2) is None


def test_a_few_values_that_are_far_worse_stand_at_the_edge():
    scale = value_scale([*[1.0 + number / 100 for number in range(100)], -1e9], maximize=True)
    assert scale.clipped
    assert scale.place(-1e9) == 0.0
    assert scale.place(1.99) > 0.9


finite = st.floats(-1e12, 1e12)


@given(st.lists(finite, min_size=1, max_size=30), st.booleans())
def test_every_value_has_a_place(values, maximize):
    scale = value_scale(values, maximize=maximize)
    assert all(0 <= scale.place(value) <= 1 for value in values)
    assert all(0 <= place <= 1 for place, _ in scale.ticks)


trials = st.builds(
    Trial,
    number=st.integers(0, 10**6),
    state=st.sampled_from(TrialState),
    params=st.dictionaries(
        st.text(max_size=5), st.one_of(st.floats(), st.integers(), st.text(), st.booleans())
    ),
    value=st.none() | st.floats(),
    metrics=st.dictionaries(st.text(max_size=5), st.floats(), max_size=2),
    curve=st.lists(st.tuples(st.floats(), st.floats()), max_size=4).map(tuple),
    started=st.none() | finite,
    finished=st.none() | finite,
    error=st.none() | st.builds(TaskError, st.text(), st.text(), st.text()),
)


@settings(max_examples=60, phases=set(Phase) - {Phase.shrink})  # to shrink takes minutes
@given(st.lists(trials, max_size=6).map(tuple), st.booleans(), st.sampled_from(RunState))
def test_whatever_a_study_holds_it_is_drawn(some, maximize, state):
    study = StudySnapshot(
        "s", "local", Objective("m", maximize, goal=1.0), state, trials=some, started=0.0, max_trials=9
    )
    for bundle in (
        draw_study(study, now=1.0),
        *(draw_study_plot(StudyPlot(study, chart)) for chart in CHARTS),
    ):
        reading.read(bundle["text/html"])
    for trial in some:
        reading.read(draw_trial(study, trial)["text/html"])


@given(st.lists(trials, max_size=8).map(tuple), st.booleans())
def test_trials_in_classes_are_the_ranked_ones_the_worst_first(some, maximize):
    ranking = Ranking(StudySnapshot("s", "local", Objective("m", maximize), trials=some))
    together = [trial for one in reversed(ranking.classes) for trial in one]
    assert together == list(ranking.ranked)
    assert len(ranking.best_first) == len(some) or len({trial.number for trial in some}) < len(some)
