"""The OpenAPI document, held against the program by schemathesis, which makes requests of it: right and wrong ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from kfnb.server.encoding import json_rows
from tests.server.model_folders import Program, customers


def schema_of(program: Program, path: str) -> dict:
    document = program.ask("GET", "/openapi.json").json
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_the_document_describes_the_rows_of_the_model(churn: Program):
    schema = schema_of(churn, "/v1/models/churn:predict")
    row = schema["properties"]["instances"]["items"]
    assert row["required"] == list(customers().columns)
    assert row["properties"]["city"] == {"enum": ["Basel", "Bern", "Zürich"]}
    assert row["properties"]["paid"] == {"type": "boolean"}
    assert row["properties"]["income"]["type"] == ["number", "null"]
    assert row["properties"]["age"]["type"] == "integer"
    jsonschema.validate({"instances": json_rows(customers(50, seed=5))}, schema)


def test_the_document_describes_an_array(array_program: Program):
    schema = schema_of(array_program, "/v1/models/churn:predict")
    jsonschema.validate({"instances": [[1, 2, 3]]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"instances": [[1, 2]]}, schema)


def test_each_path_of_the_document_is_there(churn: Program):
    for path, methods in churn.ask("GET", "/openapi.json").json["paths"].items():
        for method in methods:
            assert churn.ask(method.upper(), path).status not in (404, 405), path


@pytest.mark.slow
@pytest.mark.parametrize("which", ["churn", "array_program"])
def test_schemathesis_finds_nothing(which, request, tmp_path: Path):
    pytest.importorskip("schemathesis")
    program: Program = request.getfixturevalue(which)
    infer = "/v2/models/churn/infer"
    # of tensors the document cannot say that there is one for each column, and all of one length
    for choice in (
        ["--exclude-path", infer],
        ["--include-path", infer, "--exclude-checks", "positive_data_acceptance"],
    ):
        command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
        command += [
            f"{program.address}/openapi.json",
            "--max-examples",
            "25",
            "--max-time",
            "120",
            "--seed",
            "1",
            *choice,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=400)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert program.process.poll() is None
