"""KServe's Python client against the program: what kserve 0.21 sent is replayed, and sent anew where it is installed.

``KFNB_TEST_KSERVE=/path/to/python`` is a Python that has the package kserve; ``KFNB_RECORD=1`` records what it sends.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from kfnb.server.encoding import json_rows
from tests.server.model_folders import Program, customers

RECORDING = Path(__file__).parent / "kserve_client.jsonl"
ROWS = json_rows(customers(10, seed=1).fillna({"income": 3000.0}))


def test_what_the_client_of_kserve_sends_is_answered(churn: Program):
    expected = churn.predict(ROWS)
    for line in RECORDING.read_text().splitlines():
        sent = json.loads(line)
        headers = {name.replace("-", "_"): text for name, text in sent["headers"].items()}
        body = base64.b64decode(sent["body"]) or None
        answer = churn.ask(sent["method"], sent["path"], body, **headers)
        assert answer.status == 200, (sent["path"], answer.body)
        if sent["path"].endswith(":predict"):
            assert answer.json["predictions"] == expected
        if sent["path"].endswith("/infer"):
            assert answer.json["outputs"][0]["data"] == expected


def test_the_recording_has_every_kind_of_request():
    sent = [json.loads(line) for line in RECORDING.read_text().splitlines()]
    assert {(one["method"], one["path"]) for one in sent} == {
        ("GET", "/v1/models/churn"),
        ("GET", "/"),
        ("POST", "/v1/models/churn:predict"),
        ("POST", "/v1/models/churn:explain"),
        ("GET", "/v2/health/ready"),
        ("GET", "/v2/health/live"),
        ("GET", "/v2/models/churn/ready"),
        ("POST", "/v2/models/churn/infer"),
    }
    assert sum("inference-header-content-length" in one["headers"] for one in sent) == 1


@pytest.mark.slow
def test_the_client_of_kserve_gets_what_it_asks_for(churn: Program, tmp_path: Path):
    python = os.environ.get("KFNB_TEST_KSERVE")
    if not python:
        pytest.skip("KFNB_TEST_KSERVE names no Python that has kserve, which does not install beside kfp")
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    recording = RECORDING if os.environ.get("KFNB_RECORD") else tmp_path / "sent.jsonl"
    command = [
        python,
        str(Path(__file__).parent / "kserve_client.py"),
        churn.address,
        str(tmp_path / "rows.json"),
    ]
    done = subprocess.run([*command, str(recording)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = churn.predict(ROWS)
    assert [found[name] for name in ("v1 predict", "v2 infer json", "v2 infer bytes")] == [expected] * 3
    assert found["v1 explain"] == 2
    assert all(
        found[name] is True for name in ("v1 ready", "v1 live", "v2 ready", "v2 live", "v2 model ready")
    )
