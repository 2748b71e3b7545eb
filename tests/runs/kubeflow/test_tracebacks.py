"""Tracebacks as Python prints them, read back. What is printed here is printed by Python."""

import io
import sys
import traceback
from contextlib import redirect_stderr

import pytest

from kfnb.resources.runs.failure import from_description
from kfnb.resources.runs.kubeflow.failure import why_failed
from kfnb.resources.runs.kubeflow.tracebacks import exceptions

groups = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no exception groups")


def printed(source: str) -> list[str]:
    """The lines that a step's program leaves when it fails, run by KFP's executor."""
    program = compile(source, "/tmp/x/ephemeral_component.py", "exec")
    executor = compile("run()", "/usr/lib/kfp/dsl/executor_main.py", "exec")
    out = io.StringIO()
    try:
        exec(executor, {"run": lambda: exec(program, {})})
    except BaseException:
        with redirect_stderr(out):
            traceback.print_exc()
    return out.getvalue().splitlines()


def read(source: str) -> dict:
    *_, last = exceptions(printed(source))
    return last


def shape(told: dict) -> tuple:
    return told["type"], told["message"], [shape(inner) for inner in told["group"]]


@groups
def test_a_group_is_read_with_all_that_is_in_it():
    told = read(
        "def fail(kind):\n"
        "    try:\n"
        "        raise kind('it')\n"
        "    except Exception as error:\n"
        "        return error\n"
        "inner = ExceptionGroup('inner', [fail(KeyError), ValueError('never raised'), ValueError()])\n"
        "raise ExceptionGroup('outer', [fail(TypeError), inner, fail(OSError)])\n"
    )
    assert shape(told) == (
        "ExceptionGroup",
        "outer (3 sub-exceptions)",
        [
            ("TypeError", "it", []),
            (
                "ExceptionGroup",
                "inner (3 sub-exceptions)",
                [("KeyError", "'it'", []), ("ValueError", "never raised", []), ("ValueError", "", [])],
            ),
            ("OSError", "it", []),
        ],
    )
    assert [frame[1:3] for frame in told["group"][0]["frames"]] == [[3, "fail"]]


@groups
def test_a_cause_of_one_in_a_group_is_kept():
    told = read(
        "try:\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError as error:\n"
        "        raise ValueError('led to') from error\n"
        "except ValueError as error:\n"
        "    found = error\n"
        "raise ExceptionGroup('g', [found])\n"
    )
    (inner,) = told["group"]
    assert (inner["type"], inner["cause"]["type"]) == ("ValueError", "ZeroDivisionError")


@groups
def test_a_group_that_is_a_cause_stands_behind_what_it_led_to():
    told = read(
        "try:\n    raise ExceptionGroup('g', [ValueError('x')])\n"
        "except ExceptionGroup as error:\n    raise RuntimeError('after') from error\n"
    )
    assert (told["type"], shape(told["cause"])) == (
        "RuntimeError",
        ("ExceptionGroup", "g (1 sub-exception)", [("ValueError", "x", [])]),
    )


@groups
def test_a_group_with_very_many_in_it_tells_the_first():
    told = read("raise ExceptionGroup('g', [ValueError(str(n)) for n in range(40)])")
    assert [inner["message"] for inner in told["group"]] == [str(n) for n in range(15)]


@groups
def test_a_group_is_a_steps_error_with_its_place():
    source = "# cell train [3], line 7\nraise ExceptionGroup('both', [ValueError('a'), ValueError('b')])\n"
    error = why_failed(printed(source), source)
    assert error.message == "ExceptionGroup: both (2 sub-exceptions)"
    assert error.place == "cell train [3], line 7"
    assert "  | ValueError: a" in error.traceback.splitlines()


@groups
def test_a_log_that_is_cut_anywhere_is_read_as_far_as_it_goes():
    whole = printed("raise ExceptionGroup('g', [ValueError('a'), ExceptionGroup('h', [ValueError('b')])])")
    for end in range(len(whole) + 1):
        for told in exceptions(whole[:end]):
            from_description(told, "")


def test_a_plain_exception_has_no_group():
    assert shape(read("raise ValueError('x')")) == ("ValueError", "x", [])
