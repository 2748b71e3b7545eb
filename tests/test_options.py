"""The words of magics and of the command."""

from __future__ import annotations

import pytest

from kfnb.commands.command import Command, parser_of, read
from kfnb.commands.parser import split_words
from kfnb.commands.words import parameter
from kfnb.errors import Help, UsageError
from kfnb.resources.components.commands import DefineComponent
from kfnb.resources.runs.commands import SubmitPipeline


def component(line: str) -> DefineComponent:
    return _read(DefineComponent, line)


def submit(line: str) -> SubmitPipeline:
    return _read(SubmitPipeline, line)


def _read(command: type[Command], line: str) -> Command:
    return read(command, parser_of(command, "%kf_x", notebook=True), line).command


@pytest.mark.parametrize(
    ("text", "type_", "default"),
    [
        ("rows:int=300", "int", 300),
        ("C:float=1", "float", 1.0),
        ("C:float", "float", None),
        ("name=churn", "str", "churn"),
        ("name:str=12", "str", "12"),
        ("flag:bool=True", "bool", True),
        ("flag=true", "bool", True),
        ("cols:list=['a', 'b']", "list", ["a", "b"]),
        ('weights={"a": 1}', "dict", {"a": 1}),
    ],
)
def test_a_parameter_is_read_with_its_type_and_default(text: str, type_: str, default: object) -> None:
    found = parameter(text)
    assert (found.type, found.default) == (type_, default)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows:number=3", "not a parameter type"),
        ("rows:int=many", "'many' is not of type int"),
        ("rows:int=3.5", "3.5 is not of type int"),
        ("2rows:int=3", "name:type=default"),
        ("x=(1, 2)", "tuple is not a parameter type"),
    ],
)
def test_a_wrong_parameter_says_so(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        parameter(text)


def test_options_are_never_abbreviated() -> None:
    with pytest.raises(UsageError, match=r"did you mean --output\?"):
        component("train --out x")


def test_an_unknown_option_names_the_close_one_and_the_help() -> None:
    with pytest.raises(UsageError, match=r"unknown option --paramm; did you mean --param\?.*--help"):
        component("train --paramm=x")


def test_quotes_are_taken_off_and_keep_words_together() -> None:
    found = component("""train --param "cols:list=['a b', 'c']" --package 'x>=1'""")
    assert found.param == ("cols:list=['a b', 'c']",)
    assert found.package == ("x>=1",)


def test_an_open_quote_is_an_error_in_words() -> None:
    with pytest.raises(UsageError, match="No closing quotation"):
        component("train --param 'x")


def test_arguments_of_a_pipeline_are_given_in_three_ways() -> None:
    arguments = submit("churn --C 0.5 --rows=10 -p name value").arguments
    assert arguments == {"C": "0.5", "rows": "10", "name": "value"}


def test_minus_p_is_unambiguous_where_a_parameter_is_called_as_an_option() -> None:
    found = submit("churn --name my-run -p name x")
    arguments = found.arguments
    assert found.name == "my-run"
    assert arguments == {"name": "x"}


def test_a_negative_number_is_a_value() -> None:
    arguments = submit("churn --C -0.5").arguments
    assert arguments == {"C": "-0.5"}


@pytest.mark.parametrize("line", ["churn --C", "churn stray", ""])
def test_words_that_do_not_fit_are_errors(line: str) -> None:
    with pytest.raises(UsageError):
        submit(line)


def test_help_is_asked_for_with_help() -> None:
    with pytest.raises(Help, match="--backend"):
        submit("--help")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("--x 'a b'", ["--x", "a b"]),
        ('--x="a b"', ["--x=a b"]),
        ("cols:list=['a', 'b']", ["cols:list=['a', 'b']"]),
        ("""opts:dict={"a": [1, 2], 'b': ")"} next""", ["""opts:dict={"a": [1, 2], 'b': ")"}""", "next"]),
        ("", []),
        ("churn load   # wired by name's", ["churn", "load"]),
        ("churn #", ["churn"]),
        ("--colour #fff a#b '#' ", ["--colour", "#fff", "a#b", "#"]),
        (r'--label "it\'s \"x\" \\ \n"', ["--label", r'it\'s "x" \ \n']),
        (r"it\'s a\ b '\' \[1", ["it's", "a b", "\\", "[1"]),
        ("""\'{"k": 1}\' x=["it\'s", "\\"]"]""", ['{"k": 1}', """x=["it\'s", "\\"]"]"""]),
    ],
)
def test_words_are_split_as_in_a_shell_but_for_what_stands_in_brackets(line: str, words: list[str]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", ["'a", "x=[1, 2", "x=['a]", '"a\\"'])
def test_what_is_not_closed_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="No closing"):
        split_words(line)
