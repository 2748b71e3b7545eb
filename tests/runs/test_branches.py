"""Conditions as KFP's compiler writes them, in words."""

import pytest
from kfp import dsl
from local_runs import spec_of, task
from steps import number, real, word

from kfnb.text.conditions import decided, words


def conditions(pipeline):
    """The conditions of a pipeline, by the names of their tasks."""
    spec = spec_of(pipeline)
    bodies = [spec["root"], *spec["components"].values()]
    return {
        name: one["triggerPolicy"]["condition"]
        for body in bodies
        for name, one in body.get("dag", {}).get("tasks", {}).items()
        if "condition" in one.get("triggerPolicy", {})
    }


@dsl.pipeline
def graded(limit: float = 0.9):
    grade = real(value=0.6)
    with dsl.If(grade.output > limit):
        number(value=1)
    with dsl.Elif(grade.output > 0.5):
        number(value=2)
    with dsl.Else():
        number(value=3)


@dsl.pipeline
def looped():
    with dsl.ParallelFor(["a", "b"]) as item:
        with dsl.If(item == "a"):
            number(value=1)
        with dsl.If(word(value="x").output == word(value="y").output):
            number(value=1)


def test_branches_are_called_by_their_conditions():
    assert {name: words(one) for name, one in conditions(graded).items()} == {
        "condition-2": "if real > limit",
        "condition-3": "else if real > 0.5",
        "condition-4": "else",
    }


def test_items_of_a_loop_and_outputs_of_two_like_tasks_are_told_apart():
    assert sorted(words(one) for one in conditions(looped).values()) == [
        "if item == 'a'",
        "if word == word-2",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipelinechannel--fit-accuracy", "accuracy"),
        ("pipelinechannel--loop-item-param-1", "item"),
        ("x", "x"),
    ],
)
def test_an_input_is_called_as_people_call_it(name, said):
    assert words(f"int(inputs.parameter_values['{name}']) > 3") == f"if {said} > 3"


def test_outputs_of_one_name_have_their_tasks_names():
    both = "inputs.parameter_values['pipelinechannel--a-n'] > inputs.parameter_values['pipelinechannel--b-n']"
    assert words(both) == "if a-n > b-n"


def test_what_an_if_came_to_is_told_with_its_values():
    own = "inputs.parameter_values['pipelinechannel--fit-accuracy'] > 0.9"
    values = {"pipelinechannel--fit-accuracy": 0.93}
    assert decided(own, values, taken=True) == "0.93 > 0.9: taken"
    assert decided(own, {}, taken=True) == ""


def test_what_an_else_came_to_is_told_by_the_values_alone():
    elif_, else_ = conditions(graded)["condition-3"], conditions(graded)["condition-4"]
    values = {"pipelinechannel--real-Output": 0.6, "pipelinechannel--limit": 0.9}
    assert decided(elif_, values, taken=True) == "real = 0.6, limit = 0.9: taken"
    assert decided(else_, values, taken=False) == "real = 0.6, limit = 0.9: not taken"


def test_a_local_run_tells_its_branches_and_what_was_decided(run_pipeline):
    run = run_pipeline(graded, limit=0.7)
    told = {one.condition: one.decided for one in run.tasks if one.condition}
    assert told == {
        "if real > limit": "0.6 > 0.7: not taken",
        "else if real > 0.5": "real = 0.6, limit = 0.7: taken",
        "else": "real = 0.6, limit = 0.7: not taken",
    }
    assert task(run, "real").condition == task(run, "real").decided == ""
