"""Numbers, conditions and placeholders, each by itself."""

import pytest

from kfnb.entities import Artifact
from kfnb.resources.runs.local.condition import holds
from kfnb.resources.runs.local.parameter_text import accepted, parse
from kfnb.resources.runs.local.placeholder import Context, fill, in_json, of_run, unfilled
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.text.parameter_values import plain, stored, text, typed, unwrapped, wrapped


def test_a_specs_integral_doubles_are_integers_again():
    assert (
        repr(plain({"a": [1.0, 2.5, "3.0", True, None, 1e300]}))
        == "{'a': [1, 2.5, '3.0', True, None, 1e+300]}"
    )


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        (3.0, "NUMBER_INTEGER", "3"),
        (3, "NUMBER_DOUBLE", "3.0"),
        (3.5, "NUMBER_INTEGER", "3.5"),
        (True, "NUMBER_DOUBLE", "True"),
        ([1.0], "LIST", "[1.0]"),
        ("3", "STRING", "'3'"),
    ],
)
def test_numbers_take_the_declared_type(value, kind, result):
    assert repr(typed(value, kind)) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (5, "5"),
        (5.0, "5"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (True, "true"),
        ("é", "é"),
        ({"b": [1.0, None], "a": "é"}, '{"a":"é","b":[1,null]}'),
        (["<a & b>"], r'["\u003ca \u0026 b\u003e"]'),
    ],
)
def test_any_value_has_a_text_as_on_the_cluster(value, result):
    assert text(value) == result


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        (1, "STRING", "1"),
        ([1], "STRING", "[1]"),
        (2.5, "NUMBER_INTEGER", 2.5),  # KFP does not look closer
        (3, "", 3),
        ({"a": 1}, "STRUCT", {"a": 1}),
        (True, "BOOLEAN", True),
    ],
)
def test_everything_makes_a_text_and_the_rest_must_be_of_its_type(value, kind, result):
    assert accepted("x", value, kind) == result


@pytest.mark.parametrize(
    ("value", "kind"),
    [("1", "NUMBER_INTEGER"), (True, "NUMBER_DOUBLE"), (1, "BOOLEAN"), ("[1]", "LIST"), ([1], "STRUCT")],
)
def test_an_input_of_another_type_is_a_fault(value, kind):
    with pytest.raises(StepFault, match=f"its input x is .*, which is not of type {kind}"):
        accepted("x", value, kind)


@pytest.mark.parametrize(
    ("text", "kind", "result"),
    [
        ("12\n", "NUMBER_INTEGER", 12),
        ("12345678901234567890", "NUMBER_INTEGER", 12345678901234567000),
        ("1e-3", "NUMBER_DOUBLE", 0.001),
        ("True", "BOOLEAN", True),
        ("f\n", "BOOLEAN", False),
        ('{"a": [1.0]}', "STRUCT", {"a": [1]}),
        ("any text\n", "STRING", "any text\n"),
    ],
)
def test_output_files_are_read_by_type(text, kind, result):
    assert parse(text, kind) == result
    assert type(parse(text, kind)) is type(result)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *(("1.5", "NUMBER_INTEGER"), ("12.0", "NUMBER_INTEGER"), ("", "NUMBER_INTEGER")),
        *(("nan", "NUMBER_DOUBLE"), ("yes", "BOOLEAN"), ("[NaN]", "LIST"), ("[1]", "STRUCT")),
    ],
)
def test_an_output_file_of_another_type(text, kind):
    with pytest.raises(StepFault, match=f"not of type {kind}"):
        parse(text, kind)


@pytest.mark.parametrize(
    ("expression", "value", "result"),
    [
        ("int({}) == 1", 1, True),
        ("{} == 1", 1, True),
        ("{} == 1.0", 1, True),
        ("{} > -1", 0.5, True),
        ("double(1) < {}", 2, True),
        ("{} != 1", 1.0, False),
        ("{} == true", True, True),
        ("{} == 'a'", "it's", False),
        ("!({} == 'a') && {} == 'b'", "b", True),
        ("{} == '1'", "1", True),
        ("{} >= 1e-05", 1e-5, True),
        ("int({}) == 9007199254740992", 2**53, True),
    ],
)
def test_conditions_compare_by_value_and_type(expression, value, result):
    assert holds(expression.replace("{}", "inputs.parameter_values['x']"), {"x": value}) is result


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("inputs.parameter_values['y'] == 1", "no such key"),
        ("inputs.parameter_values['x'] > 'a'", "no matching overload"),
        ("inputs.parameter_values['x']", "neither true nor false"),
        ("1 ==", "cannot evaluate"),
    ],
)
def test_a_condition_that_cannot_be_told_is_a_fault(expression, reason):
    with pytest.raises(StepFault, match=reason):
        holds(expression, {"x": 1})


def test_placeholders_become_text_wherever_they_stand():
    context = Context(
        {"n": 3.0, "flag": True, "table": {"a": 1}, "name": "x"},
        {"data": Artifact("data", "system.Dataset", "/there", {"rows": 2})},
    )
    n, data = "{{$.inputs.parameters['n']}}", "{{$.inputs.artifacts['data']%s}}"

    assert fill(f"{n} {{{{$.unknown}}}}", context) == "3 {{$.unknown}}"
    assert fill("{{$.inputs.parameters['flag']}} {{$.inputs.parameters['table']}}", context) == 'true {"a":1}'
    assert fill([n, 2, {"{{$.inputs.parameters['name']}}": n}], context) == ["3", 2, {"x": "3"}]
    with pytest.raises(StepFault, match="refers to nothing, which has no value"):
        fill("{{$.inputs.parameters['nothing']}}", context)
    assert fill(data % ".uri" + data % ".path" + data % ".name", context) == "/there/there" + data % ".name"


@pytest.mark.parametrize("value", ['a "b"', "a\\b", "a\nb", {"a": 1}, ["x"]])
def test_what_the_launcher_would_break_the_steps_values_with_is_a_fault(value):
    with pytest.raises(StepFault, match="KFP cannot fill in quotes, backslashes and line breaks"):
        in_json(value)


def test_the_runs_placeholders_are_filled_where_they_are_the_whole_value():
    words = {"pipeline_job_name": "job", "workspace_path": "/work"}
    name, root = "{{$.pipeline_job_name}}", "{{$.pipeline_root}}"

    assert of_run(name, words) == "job"
    assert of_run(f"{name} 1", words) == f"{name} 1"
    assert of_run([name], words) == [name]
    assert of_run("{{$.workspace_path}}/a", words) == "/work/a"
    left = [f"a {name}", root, name, {"k": [root]}, "{{$.workspace_path}}/a {{$.inputs.parameters['x']}}"]
    assert list(unfilled(left, inputs=True)) == [name, root, root]
    assert list(unfilled(left[-1], inputs=False)) == ["{{$.inputs.parameters['x']}}"]


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (66.0, "66"),
        ([1, 66.0, 2.5], "[1, 66, 2.5]"),
        (2**60, "1152921504606847000"),
        (1e17, "100000000000000000"),
        (1e21, "1e+21"),
        ({"b": 1.0, "a": -0.0}, "{'a': 0, 'b': 1}"),
    ],
)
def test_a_step_gets_whole_numbers_as_integers_and_keys_in_order(value, result):
    assert repr(plain(value)) == result


def test_metadata_come_back_from_ml_metadata_as_they_went_in_but_for_truth_values():
    metadata = {"flag": True, "n": 3.0, "labels": ["a"], "table": {"list": [1.0]}, "text": "x"}
    kept_so = {"flag": 1, "n": 3, "labels": ["a"], "table": {"list": [1]}, "text": "x"}

    assert repr(stored(metadata)) == repr(kept_so)
    taken = wrapped(metadata)
    assert taken["labels"] == {"list": ["a"]}
    assert taken["table"] == {"struct": {"list": [1]}}
    assert unwrapped(taken) == kept_so
