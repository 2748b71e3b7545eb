import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.errors import NotebookError
from kfnb.execute.parameters import TypedText, check_known, find_declared, parse_value, read_file, typed

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def code(source, *tags):
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}


@given(values)
def test_a_value_is_read_back_from_its_json(value):
    assert parse_value(json.dumps(value)) == value


@given(values)
def test_a_value_is_read_back_from_its_python_literal(value):
    read = parse_value(repr(value))
    assert read == value
    assert type(read) is type(value)


@given(st.text())
def test_any_text_is_some_value(text):
    json.dumps(parse_value(text))


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "007",
        "2024-01-01",
        "a b",
        "{1, 2}",
        "b'x'",
        "(1, 2)",
        "1 + 1",
        "nan",
        "{[]: 1}",
        "",
        "{1: 2}",
        "[",
    ],
)
def test_what_is_no_literal_of_plain_data_is_text(text):
    assert parse_value(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50", 50),
        ("1e-4", 1e-4),
        ("true", True),
        ("True", True),
        ("null", None),
        ("None", None),
        ("'5'", "5"),
        ("[1, 'a']", [1, "a"]),
    ],
)
def test_literals_have_their_types(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_a_tagged_cell_declares_what_it_assigns():
    cell = code("rows = 300  # how many\nC: float = 1.0\na, b = 1, 2\nprint(rows)\n%time x = 1", "parameters")
    assert set(find_declared([cell])) == {"rows", "C", "a", "b"}


def test_a_kf_parameters_cell_declares_what_it_assigns():
    assert set(find_declared([code("\n%%kf_parameters\nrows = 300"), code("other = 1")])) == {"rows"}


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.sampled_from(["--param {}", "--param={}"]))
def test_component_options_declare_parameters(given_names, form):
    suffixes = ["", ":int=3", "=0.5", ":str='a b'"]
    options = " ".join(form.format(name) + suffixes[i] for i, name in enumerate(given_names))
    assert set(find_declared([code(f"%%kf_component train {options} --cpu 2\nx = 1")])) == set(given_names)


def test_an_unbalanced_quote_hides_no_parameter():
    assert set(find_declared([code("%%kf_component train --param rows:int=3 --image it's\n1")])) == {"rows"}


def test_text_cells_and_cells_that_do_not_parse_declare_nothing():
    text = {"cell_type": "markdown", "source": "rows = 1", "metadata": {"tags": ["parameters"]}}
    assert set(find_declared([text, code("rows = = 1", "parameters")])) == set()


def test_a_parameter_must_be_declared_by_some_notebook():
    declared = {Path("a.ipynb"): {"rows"}, Path("b.ipynb"): {"C"}}
    check_known(["rows", "C"], declared)
    with pytest.raises(NotebookError, match=r"no cell declares a parameter 'row'; did you mean rows\?"):
        check_known(["row"], declared)
    with pytest.raises(NotebookError, match="parameters of the notebooks: C, rows"):
        check_known(["quite_other"], declared)
    with pytest.raises(NotebookError, match=r"a\.ipynb has no parameters: tag a cell 'parameters'"):
        check_known(["rows"], {Path("a.ipynb"): set()})


def test_a_file_holds_parameters_and_dates_stay_text(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("rows: 50\nday: 2024-01-01\nnested: {a: [1, null]}\n")
    assert read_file(file) == {"rows": 50, "day": "2024-01-01", "nested": {"a": [1, None]}}
    file.write_text("")
    assert read_file(file) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [("- 1", "lines of 'name: value'"), ("a: [", "is not valid YAML"), ("1: 2", "lines of 'name: value'")],
)
def test_a_file_without_parameters_is_refused(tmp_path, text, message):
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(NotebookError, match=message):
        read_file(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"none\.yaml: cannot read the parameters \(No such file"):
        read_file(tmp_path / "none.yaml")


def test_what_is_typed_for_a_text_stays_the_text():
    declared = find_declared(
        [
            code("ver = '3.9'\nrate = 1.0\nfiles = glob()", "parameters"),
            code("%%time\n%%kf_component a --param tag:str --param n:int=3 \\\n  --param word=x\n1"),
        ]
    )
    assert declared == {"ver": "str", "rate": "float", "files": "", "tag": "str", "n": "int", "word": "str"}
    given = {"ver": "3.10", "rate": "3.10", "files": "3.10", "tag": "'3'", "n": "4", "word": "true"}
    assert typed({name: TypedText(text) for name, text in given.items()}, declared) == {
        "ver": "3.10", "rate": 3.1, "files": 3.1, "tag": "3", "n": 4, "word": "true",
    }  # fmt: skip
    assert typed({"ver": 3.1, "other": 1}, declared) == {"ver": 3.1}
