"""The line that starts a run again: what it says is what the run was given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.commands.command import parser_of, read
from kfnb.entities import RunSnapshot
from kfnb.resources.runs.command_line import command
from kfnb.resources.runs.commands import SubmitPipeline
from kfnb.text.literals import read_literal


@pytest.fixture(autouse=True)
def _notebook(monkeypatch):
    here = type("Here", (), {"pipelines": {"wine": object()}})()
    monkeypatch.setattr("kfnb.resources.runs.command_line.workspace", lambda: here)


def run_of(arguments, pipeline="wine"):
    return RunSnapshot("r", "r", pipeline, "local", arguments=arguments)


def test_a_run_is_started_again_by_a_magic():
    assert command(run_of({"rows": 300, "C": 0.5, "deep": True, "none": None})) == (
        "%kf_submit wine --rows 300 --C 0.5 --deep true --backend local"
    )


def test_a_run_of_a_pipeline_that_the_notebook_does_not_know_has_no_command():
    assert command(run_of({}, pipeline="other")) == ""


def test_what_does_not_go_into_a_line_is_written_in_python():
    assert command(run_of({"text": "it's {x}\n"})) == (
        "kfnb.submit('wine', {'text': \"it's {x}\\n\"}, backend='local')"
    )


texts = st.text()
values = st.one_of(
    texts,
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers() | texts),
    st.dictionaries(texts, st.integers() | texts),
)


@given(values)
def test_whatever_was_given_is_given_again(value):
    line = command(run_of({"x": value}))
    if line.startswith("kfnb."):
        said = eval(line, {"kfnb": type("Fake", (), {"submit": lambda name, given, backend: given})})
        assert said == {"x": value}
    else:
        found = read(
            SubmitPipeline,
            parser_of(SubmitPipeline, "%kf_submit", notebook=True),
            line.removeprefix("%kf_submit "),
        )
        assert (found.command.pipeline, found.command.backend) == ("wine", "local")
        text = found.command.arguments["x"]
        assert (text if isinstance(value, str) else read_literal(text)) == value
