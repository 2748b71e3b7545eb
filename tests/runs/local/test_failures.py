"""How a failed step is told: its message, the user's own frames in their cells, and what never ran."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123, UP006, UP035

from typing import List

import pytest
from kfp import dsl
from local_runs import spec_of, task, tasks, text
from steps import component, fail, number, word

from kfnb.entities import RunState
from kfnb.resources.runs.local.failure import from_status

pytestmark = pytest.mark.usefixtures("way")


@component
def placeholder_step() -> str:
    return ""


def program(run_pipeline, body, *, function="train", **options):
    """Run a one-step pipeline whose program is ``body``, which defines ``function``; its error."""

    @dsl.pipeline
    def pipeline():
        placeholder_step()

    spec = spec_of(pipeline)
    container = spec["deploymentSpec"]["executors"]["exec-placeholder-step"]["container"]
    container["command"][-1] = body
    container["args"] = ["--executor_input", "{{$}}", "--function_to_execute", function]
    run = run_pipeline(spec, **options)
    assert run.state is RunState.FAILED
    return task(run, "placeholder-step").error


def test_frames_are_shown_as_cells_and_lines(run_pipeline):
    error = program(
        run_pipeline,
        "# kfnb: imports\n"
        "import json\n"
        "# cell helpers [2], line 5\n"
        "def parse(text):\n"
        "    return json.loads(text)\n"
        "# kfnb: the step\n"
        "def train() -> str:\n"
        "    # cell train [3], line 2\n"
        "    text = '{'\n"
        "    return parse(text)\n",
    )

    assert error.message.startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert error.place == "cell helpers [2], line 6"
    lines = error.traceback.splitlines()
    assert lines[:5] == [
        "Traceback (most recent call last):",
        "  cell train [3], line 3, in train",
        "    return parse(text)",
        "  cell helpers [2], line 6, in parse",
        "    return json.loads(text)",
    ]
    assert '/json/__init__.py", line ' in lines[5]
    assert "kfp" not in error.traceback
    assert "runner" not in error.traceback


def test_chained_exceptions_are_kept(run_pipeline):
    error = program(
        run_pipeline,
        "def train() -> str:\n"
        "    # cell a, line 1\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError as e:\n"
        "        raise ValueError('two\\nlines') from e\n",
    )

    assert error.message == "ValueError: two"
    assert error.place == "cell a, line 4"
    assert error.traceback.index("ZeroDivisionError: division by zero") < error.traceback.index(
        "direct cause of the following"
    )
    assert error.traceback.endswith("ValueError: two\nlines")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sys.exit(3)", "the step exited with sys.exit(3)"),
        ("sys.exit('no data')", "the step exited with sys.exit(no data)"),
        ("os._exit(3)", "its process ended with exit code 3 before the step was done"),
        (
            "print('no data', flush=True); os._exit(3)",
            "its process ended with exit code 3 before the step was done; the last line of its log: no data",
        ),
        ("os.kill(os.getpid(), 11)", "its process was ended by SIGSEGV (Segmentation fault)"),
        (
            "os.kill(os.getpid(), 9)",
            "its process was killed (SIGKILL), most likely because the machine ran out of memory",
        ),
        ("{}['k']", "KeyError: 'k'"),
        ("train2()", "NameError: name 'train2' is not defined"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        (
            "return 5",
            "ValueError: Function `train` returned value of type <class 'int'>; want type <class 'str'>",
        ),
    ],
)
def test_every_way_to_die_has_its_message(run_pipeline, line, message):
    assert program(run_pipeline, f"import os, sys\ndef train() -> str:\n    {line}\n").message == message


def test_what_an_earlier_attempt_wrote_is_not_the_last_line_of_one_that_wrote_nothing(tmp_path):
    log = tmp_path / "log"
    log.write_text("no data\n")
    told = "its process ended with exit code 3 before the step was done"
    assert from_status(3 << 8, log=log).message == f"{told}; the last line of its log: no data"
    assert from_status(3 << 8, log=log, since=log.stat().st_size).message == told


def test_of_a_message_that_is_very_long_both_ends_are_kept(run_pipeline):
    error = program(run_pipeline, "def train() -> str:\n    raise ValueError('a' + 'b' * 5_000_000 + 'c')\n")
    assert len(error.message) < 5000
    assert len(error.traceback) < 10_000
    assert error.message.startswith("ValueError: abb")
    assert error.message.endswith("bbc")
    assert "characters) ..." in error.message


def test_a_syntax_error_has_its_place(run_pipeline):
    error = program(run_pipeline, "# cell train [3], line 1\ndef train() -> str:\n    return (\n")

    assert error.message == "SyntaxError: '(' was never closed"
    assert error.place == "cell train [3], line 2"
    assert "  cell train [3], line 2" in error.traceback


def test_an_endless_recursion_is_told_in_short(run_pipeline):
    error = program(run_pipeline, "def train() -> str:\n    return train()\n")

    assert error.message.startswith("RecursionError: maximum recursion depth exceeded")
    assert len(error.traceback.splitlines()) < 200


def test_a_step_of_another_program_has_no_place(run_pipeline, backend):
    @dsl.pipeline
    def pipeline():
        fail(message="no")

    run = run_pipeline(pipeline)
    error = task(run, "fail").error

    assert (error.message, error.place) == ("ValueError: no", "")
    assert "in fail" in error.traceback
    assert text(backend, run.id, "fail") == error.traceback


def test_what_depends_on_a_failure_never_runs_and_the_rest_does(run_pipeline):
    @dsl.pipeline
    def pipeline():
        bad = fail(message="no data")
        first = word(value=bad.output)
        with dsl.ParallelFor([1, 2]):
            fail(message=first.output)
        number(value=1)

    run = run_pipeline(pipeline)

    assert run.state is RunState.FAILED
    assert run.error == "fail failed: ValueError: no data; word, fail-2 never ran"
    assert task(run, "number").state is RunState.SUCCEEDED
    assert task(run, "word").state is RunState.SKIPPED


def test_one_iteration_that_fails_does_not_stop_the_others(run_pipeline):
    @component
    def odd(value: int) -> int:
        if value == 2:
            raise ValueError("even")
        return value

    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor([1, 2, 3]) as i:
            each = odd(value=i)
        word(value="x").after(each)

    run = run_pipeline(pipeline)

    assert [item.state for item in tasks(run, "odd")] == [
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.SUCCEEDED,
    ]
    assert run.error.endswith("/1/odd failed: ValueError: even; word never ran")


def test_an_output_of_the_wrong_type_fails_the_task(run_pipeline):
    @component
    def wrong(count: dsl.OutputPath(int)):
        with open(count, "w") as file:
            file.write("many")

    @dsl.pipeline
    def pipeline():
        wrong()

    error = task(run_pipeline(pipeline), "wrong").error

    assert error.message == "its output count: it wrote 'many', which is not of type NUMBER_INTEGER"


def test_an_output_that_was_not_given_fails_its_task(run_pipeline):
    @component
    def nothing() -> str:
        return None

    @dsl.pipeline
    def pipeline():
        word(value=nothing().output)

    run = run_pipeline(pipeline)

    assert run.error == "nothing failed: its output Output was not written; word never ran"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nan", "KFP cannot read its outputs or the metadata of its artifacts: nan is not JSON"),
        ("None", "its output out: KFP cannot store None as metadata (said)"),
    ],
)
def test_metadata_that_kfp_cannot_keep_fail_their_task(run_pipeline, value, said):
    @component
    def tell(value: str, out: dsl.Output[dsl.Dataset]):
        out.metadata["said"] = {"nan": float("nan"), "None": None}[value]

    @dsl.pipeline
    def pipeline():
        tell(value=value)

    assert task(run_pipeline(pipeline), "tell").error.message == said


def test_a_field_of_another_type_than_declared_fails_who_takes_it(run_pipeline):
    @dsl.pipeline
    def pipeline(rows: List[dict]):
        with dsl.ParallelFor(rows) as row:
            number(value=row.n)

    run = run_pipeline(pipeline, rows=[{"n": 1}, {"n": "one"}])

    assert [one.state for one in tasks(run, "number")] == [RunState.SUCCEEDED, RunState.FAILED]
    assert run.error.endswith("number failed: its input value is 'one', which is not of type NUMBER_INTEGER")


def test_a_text_with_what_kfp_cannot_fill_in_fails_its_task(run_pipeline):
    @dsl.pipeline
    def pipeline(said: str):
        word(value=f"<{said}>")

    assert run_pipeline(pipeline, said="plain").state is RunState.SUCCEEDED
    assert run_pipeline(pipeline, said='a "quote"').error == (
        "word failed: a text or list among its arguments is filled with 'a \"quote\"', and KFP cannot fill in quotes,"
        " backslashes and line breaks: build the text in a step"
    )
