"""The messages between kernel and page: what is generated from them, and what a page may ask."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities import RunState
from kfnb.live.messages import FetchRequest, PageRequest, StateName, read_request
from kfnb.resources.studies.model import TrialState

ROOT = Path(__file__).parents[2]


def test_the_page_s_types_are_those_of_the_messages():
    """`npm run protocol` in js/, or the script itself, writes the file anew."""
    check = subprocess.run(
        [sys.executable, ROOT / "scripts" / "protocol.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr


def test_each_state_of_a_run_and_of_a_trial_is_one_that_messages_have():
    assert {state.value for state in (*RunState, *TrialState)} == set(get_args(StateName))


def test_a_request_is_read_into_its_type():
    asked = {
        "do": "fetch",
        "type": "run",
        "id": "r",
        "part": "t",
        "artifact": "outputs/m",
        "first": 0,
        "new": 1,
    }
    assert read_request(asked) == FetchRequest("run", "r", "t", "outputs/m", 0)


@pytest.mark.parametrize("odd", [{}, {"do": "dance"}, {"do": ["watch"]}, {"do": "watch", "type": "run"}])
def test_what_is_no_request_is_refused(odd):
    with pytest.raises(ValueError, match="request"):
        read_request(odd)


@given(
    st.dictionaries(
        st.sampled_from(["do", "type", "id", "part", "on", "first"]), st.text() | st.none() | st.booleans()
    )
)
def test_whatever_a_page_sends_is_a_request_or_is_refused(content):
    with contextlib.suppress(ValueError):
        assert isinstance(read_request(content), get_args(PageRequest))
