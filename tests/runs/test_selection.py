"""Which runs of a list are meant."""

import pytest

from kfnb.entities import RunSnapshot, RunState
from kfnb.resources.runs.selection import Selection

RUN = RunSnapshot("1", "Nightly-7", "p", "local", state=RunState.FAILED, experiment="churn", created=100.0)


@pytest.mark.parametrize(
    ("chosen", "fits"),
    [
        ({}, True),
        ({"experiment": "churn"}, True),
        ({"experiment": "Default"}, False),
        ({"state": RunState.FAILED}, True),
        ({"state": RunState.RUNNING}, False),
        ({"name": "nightly"}, True),
        ({"name": "daily"}, False),
        ({"since": 100.0, "until": 100.5}, True),
        ({"since": 100.1}, False),
        ({"until": 100.0}, False),
        ({"state": RunState.FAILED, "name": "moon"}, False),
    ],
)
def test_a_run_fits_where_all_that_is_asked_for_does(chosen, fits):
    assert Selection(**chosen).fits(RUN) is fits


def test_a_run_that_names_no_experiment_is_in_the_default_one():
    assert Selection(experiment="Default").fits(RunSnapshot("1", "r", "p", "local"))
