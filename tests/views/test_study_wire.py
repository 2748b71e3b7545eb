"""What the page is told of a study: whole, or what is new."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import study_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities import RunState, TaskError
from kfnb.resources.studies.model import Dimension, Trial, TrialState
from kfnb.resources.studies.wire import MOST_CURVES, MOST_POINTS, StudyWire, find_trial


def replaced(study, number, **fields):
    trials = tuple(replace(trial, **fields) if trial.number == number else trial for trial in study.trials)
    return replace(study, trials=trials)


def test_the_whole_study_is_told_first():
    told = StudyWire().whole(samples.bowl(5))
    assert [dimension["name"] for dimension in told.head["space"]] == ["lr", "layers", "act", "dropout"]
    assert (told.head["metric"], told.head["maximize"], told.head["most"]) == ("loss", False, 5)
    first = told.parts[0]
    assert first["params"]["act"] == samples.bowl(5).trials[0].params["act"]
    assert first["curve"][:2] == [0.0, float(f"{samples.bowl(5).trials[0].curve[0][1]:.6g}")]
    assert "error" not in first


def test_then_only_the_trials_that_changed_and_of_them_only_what_is_new():
    study = samples.going_on()
    later = replaced(study, 26, state=TrialState.SUCCEEDED, value=0.25, finished=samples.NOW)
    told = StudyWire().change(study, later)
    assert told.parts == [{"number": 26, "state": "SUCCEEDED", "value": 0.25, "finished": samples.NOW}]
    assert told.head == {}


def test_a_new_trial_is_told_whole_and_what_vanishes_is_told_to_be_none():
    study = samples.bowl(3)
    trial = Trial(3, TrialState.FAILED, {"lr": 0.1}, error=TaskError("no", "", "cell a, line 1"))
    later = replace(study, trials=(*study.trials, trial))
    assert StudyWire().change(study, later).parts == [
        {"number": 3, "state": "FAILED", "params": {"lr": 0.1}, "error": "no", "place": "cell a, line 1"}
    ]
    again = replaced(later, 3, state=TrialState.PENDING, error=None)
    assert StudyWire().change(later, again).parts == [
        {"number": 3, "state": "PENDING", "error": None, "place": None}
    ]


def test_importances_and_the_state_are_told_when_they_change():
    study = samples.going_on()
    later = replace(study, importances={"lr": 0.9, "act": 0.1}, state=RunState.SUCCEEDED)
    assert StudyWire().change(study, later).head == {
        "importances": [("lr", 0.9), ("act", 0.1)],
        "state": "SUCCEEDED",
    }
    assert not StudyWire().change(later, replace(later))


def test_parameters_that_no_space_names_are_told_as_dimensions_and_grow():
    first = Trial(0, TrialState.SUCCEEDED, {"x": 1.0}, 1.0)
    study = samples.bowl(0, space=(), trials=(first,), state=RunState.RUNNING)
    assert StudyWire().whole(study).head["space"][0]["high"] == 1.0
    later = replace(study, trials=(first, Trial(1, TrialState.RUNNING, {"x": 3.0})))
    assert StudyWire().change(study, later).head["space"] == [
        {"name": "x", "kind": "float", "low": 1.0, "high": 3.0, "log": False, "choices": []}
    ]


def test_ten_thousand_trials_bring_the_curves_of_the_best_alone():
    study = samples.bowl(10_000)
    whole = StudyWire().whole(study)
    told = [trial["number"] for trial in whole.parts if "curve" in trial]
    assert len(told) == MOST_CURVES
    assert study.best.number in told
    assert len(json.dumps(whole.parts)) < 4_000_000


def test_a_change_of_one_trial_is_small_and_a_long_curve_is_thinned():
    study = samples.bowl(3)
    curve = tuple((float(step), 1 / (step + 1)) for step in range(100_000))
    (told,) = StudyWire().change(study, replaced(study, 1, curve=curve)).parts
    assert len(json.dumps(told)) < 3_000
    assert len(told["curve"]) <= 2 * (MOST_POINTS + 1)
    assert told["curve"][-2] == 99_999.0


def test_trials_are_found_by_number_also_where_numbers_have_gaps():
    trials = (Trial(0), Trial(2), Trial(7))
    assert [find_trial(trials, number) for number in (0, 1, 7, -1)] == [trials[0], None, trials[2], None]


values = st.one_of(st.text(), st.floats(), st.integers(), st.booleans())


@given(st.dictionaries(st.text(), values), st.floats(), st.lists(st.tuples(st.floats(), st.floats())))
def test_whatever_a_trial_holds_is_json_that_a_page_can_read(params, value, curve):
    choices = tuple(params.values())
    trial = Trial(0, TrialState.SUCCEEDED, params, value, {"m": value}, tuple(curve))
    study = samples.bowl(0, space=(Dimension("x", "choice", choices=choices),), trials=(trial,))
    told = StudyWire().whole(study)
    json.dumps([told.head, told.parts], allow_nan=False).encode()
    number = told.parts[0].get("value")
    assert number is None or math.isfinite(number)
