"""Compiled pipelines: any KFP pipeline's file, and arguments checked against its own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kfnb.errors import ArgumentError, PipelineError
from kfnb.pipeline.spec import check_arguments, read_spec

SPEC: dict[str, Any] = {
    "pipelineInfo": {"name": "churn"},
    "root": {
        "inputDefinitions": {
            "parameters": {
                "rows": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0},
                "C": {"parameterType": "NUMBER_DOUBLE"},
                "name": {"parameterType": "STRING", "isOptional": True},
                "fast": {"parameterType": "BOOLEAN", "isOptional": True},
                "cols": {"parameterType": "LIST", "isOptional": True},
                "opts": {"parameterType": "STRUCT", "isOptional": True},
            },
            "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset"}, "isOptional": True}},
        }
    },
}


@pytest.mark.parametrize(
    ("name", "given", "typed"),
    [
        ("C", "0.5", 0.5),
        ("C", 1, 1.0),
        ("rows", "10", 10),
        ("rows", 10.0, 10),
        ("name", "12", "12"),
        ("fast", "true", True),
        ("fast", "False", False),
        ("cols", "['a', 'b']", ["a", "b"]),
        ("opts", '{"a": 1}', {"a": 1}),
        ("data", "s3://bucket/data.parquet", "s3://bucket/data.parquet"),
        ("data", Path("data.csv"), "data.csv"),
    ],
)
def test_an_argument_is_read_as_its_parameter_wants_it(name: str, given: Any, typed: Any) -> None:
    found = check_arguments(SPEC, {"C": 1.0, name: given})[name]
    assert (found, type(found)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"C": "high"}, "C must be float, not 'high'"),
        ({"C": True}, "C must be float, not True"),
        ({"C": 1, "rows": 2.5}, "rows must be int, not 2.5"),
        ({"C": 1, "name": 3}, "name must be str, not 3"),
        ({"C": 1, "row": 3}, "churn has no parameter row; did you mean rows?"),
        ({"C": 1, "zzz": 3}, "it takes rows, C, name"),
        ({}, "churn needs C (float): give --C VALUE"),
        ({"C": 1, "data": 5}, "data is an artifact: give a path or a URI, not 5"),
    ],
)
def test_a_wrong_argument_says_what_is_wanted(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        check_arguments(SPEC, arguments)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not a compiled pipeline"),
        (b"just: yaml\n", "is not a compiled pipeline"),
        (b"a: [1\nb: 2\n", "line 2 is not valid YAML"),
        (b"\xff\xfe\x00", "it is not text"),
        (b"kind: Workflow\nspec: {}\n", "was compiled for KFP 1"),
    ],
)
def test_a_file_that_is_no_pipeline_is_refused_in_words(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    with pytest.raises(PipelineError, match=told):
        read_spec(file)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(PipelineError, match=r"nowhere/p\.yaml: No such file"):
        read_spec("nowhere/p.yaml")
