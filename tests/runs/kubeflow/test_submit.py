"""What a cluster is sent to start a run: what it can store, and what makes its steps do as they do here."""

from __future__ import annotations

from typing import Any

import pytest

from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.storable_text import check_storable, storable
from kfnb.resources.runs.kubeflow.submission import order


def pipeline(program: str, **task: Any) -> dict[str, Any]:
    """A pipeline of one step with this program."""
    command = ["sh", "-ec", "python3 ...", program]
    return {
        "pipelineInfo": {"name": "p"},
        "root": {"dag": {"tasks": {"say": {"componentRef": {"name": "comp-say"}, **task}}}},
        "components": {"comp-say": {"executorLabel": "exec-say"}},
        "deploymentSpec": {"executors": {"exec-say": {"container": {"image": "i", "command": command}}}},
    }


def stored(program: str) -> str:
    text: str = storable(pipeline(program))["deploymentSpec"]["executors"]["exec-say"]["container"][
        "command"
    ][-1]
    return text


def said(program: str) -> Any:
    """What the function ``say`` of a program gives."""
    names: dict[str, Any] = {}
    exec(program, names)
    return names["say"]()


@pytest.mark.parametrize(
    "body",
    [
        'return "🚀 lift off, 漢字"',
        "return f'{1 + 1} 🚀 {{x}}'",
        'return """one 🚀\n two 🚀🙂"""',
        'a = "🙂"; b = "🚀" + a  # 🚀\n    return a + b',
        "return 'a\u2028b🚀\x0cc'",
        'return {"🚀": 1}',
    ],
)
def test_a_program_with_emoji_means_the_same_without_them(body: str) -> None:
    program = f"import os\n\ndef say():\n    # 🚀 first\n    {body}\n"
    written = stored(program)
    assert "🚀" not in written
    assert "🙂" not in written
    assert said(written) == said(program)
    assert written.count("\n") == program.count("\n")  # lines are as they were, for what tells of a failure


@pytest.mark.parametrize("text", ['"🚀"', "echo 🚀", "r = '🚀'"])
def test_what_may_be_no_python_stays_as_it_is(text: str) -> None:
    assert stored(text) == text


def test_a_program_that_cannot_be_written_otherwise_is_refused_with_what_to_do() -> None:
    submission = Submission(pipeline('def say():\n    return r"🚀"\n'), {}, "p-1")
    with pytest.raises(
        BackendError, match=r"the program of say contains 🚀 \(U\+1F680\).*write it as \\U0001F680"
    ):
        order(submission, "")


def test_an_argument_that_cannot_be_stored_is_refused_before_a_workflow_is_made() -> None:
    submission = Submission(pipeline("def say(): ..."), {"text": ["ok", {"deep": "🚀"}]}, "p-1")
    with pytest.raises(BackendError, match="argument text contains 🚀"):
        order(submission, "")


def test_so_are_a_constant_and_the_name_of_a_run() -> None:
    constant = {"inputs": {"parameters": {"x": {"runtimeValue": {"constant": "🚀"}}}}}
    with pytest.raises(BackendError, match="task say contains 🚀"):
        order(Submission(pipeline("def say(): ...", **constant), {}, "p-1"), "")
    with pytest.raises(BackendError, match="the run's name contains 🚀"):
        order(Submission(pipeline("def say(): ..."), {}, "p 🚀"), "")


def test_what_has_three_bytes_is_stored() -> None:
    check_storable({"runtime_config": {"parameters": {"text": "äöü ✓ 漢字 \uffff", "n": 1, "none": None}}})


PYTHON = ["sh", "-ec", "python3 -m kfp.dsl.executor_main --x"]


@pytest.mark.parametrize(
    ("container", "env"),
    [
        ({"command": PYTHON}, [{"name": "PYTHONUNBUFFERED", "value": "1"}]),
        (
            {"command": PYTHON, "env": [{"name": "A", "value": "b"}]},
            [{"name": "A", "value": "b"}, {"name": "PYTHONUNBUFFERED", "value": "1"}],
        ),
        (
            {"command": PYTHON, "env": [{"name": "PYTHONUNBUFFERED", "value": ""}]},
            [{"name": "PYTHONUNBUFFERED", "value": ""}],
        ),
        ({"command": ["echo"]}, None),
    ],
)
def test_a_python_step_writes_its_log_line_by_line_as_it_does_here(container: Any, env: Any) -> None:
    spec = {"deploymentSpec": {"executors": {"exec-say": {"container": container}}}}
    sent = order(Submission(spec, {}, "p-1"), "")["pipeline_spec"]
    assert sent["deploymentSpec"]["executors"]["exec-say"]["container"].get("env") == env
    assert spec == {"deploymentSpec": {"executors": {"exec-say": {"container": container}}}}  # as it was
