"""Numbers, conditions and placeholders, each by itself."""

import pytest

from kfnb.backends.local.condition import holds
from kfnb.backends.local.faults import StepFault
from kfnb.backends.local.placeholder import Context, fill
from kfnb.backends.local.values import parse, text, texts
from kfnb.backends.parameters import plain, typed
from kfnb.model import Artifact


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
    ],
)
def test_any_value_has_a_text_as_on_the_cluster(value, result):
    assert text(value) == result


def test_only_what_is_declared_text_becomes_text():
    kinds = {"a": "STRING", "b": "NUMBER_INTEGER"}

    assert texts({"a": 1, "b": 2, "slipped in": 3}, kinds) == {"a": "1", "b": 2, "slipped in": 3}


@pytest.mark.parametrize(
    ("text", "kind", "result"),
    [
        ("12\n", "NUMBER_INTEGER", 12),
        ("12345678901234567890", "NUMBER_INTEGER", 12345678901234567890),
        ("12.0", "NUMBER_INTEGER", 12),
        ("1e-3", "NUMBER_DOUBLE", 0.001),
        ("True", "BOOLEAN", True),
        ("false", "BOOLEAN", False),
        ('{"a": [1]}', "STRUCT", {"a": [1]}),
        ("any text\n", "STRING", "any text\n"),
    ],
)
def test_output_files_are_read_by_type(text, kind, result):
    assert parse(text, kind) == result
    assert type(parse(text, kind)) is type(result)


@pytest.mark.parametrize("text", ["1.5", "x", ""])
def test_an_output_file_of_another_type(text):
    with pytest.raises(StepFault, match="NUMBER_INTEGER was due"):
        parse(text, "NUMBER_INTEGER")


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
        ("1 ==", "cannot be evaluated"),
    ],
)
def test_a_condition_that_cannot_be_told_is_a_fault(expression, reason):
    with pytest.raises(StepFault, match=reason):
        holds(expression, {"x": 1})


def test_placeholders_become_text_in_texts_and_values_alone_in_lists():
    context = Context(
        {"n": 3.0, "flag": True, "table": {"a": 1}, "name": "x"},
        {"data": Artifact("data", "system.Dataset", "/there", {"rows": 2})},
        {"pipeline_job_name": "job"},
    )
    n, data = "{{$.inputs.parameters['n']}}", "{{$.inputs.artifacts['data']%s}}"

    assert fill(f"{n} {{{{$.pipeline_job_name}}}} {{{{$.unknown}}}}", context) == "3 job {{$.unknown}}"
    assert fill("{{$.inputs.parameters['flag']}} {{$.inputs.parameters['table']}}", context) == 'true {"a":1}'
    assert fill([n, f"<{n}>", {"{{$.inputs.parameters['name']}}": n}], context) == [3.0, "<3>", {"x": 3.0}]
    with pytest.raises(StepFault, match="speaks of nothing, which has no value"):
        fill("{{$.inputs.parameters['nothing']}}", context)
    assert fill(data % ".uri" + data % ".path" + data % ".metadata['rows']", context) == "/there/there2"
