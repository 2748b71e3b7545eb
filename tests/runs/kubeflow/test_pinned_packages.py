"""A run of a recorded environment installs its packages in its pods, after those that each step asks for."""

from __future__ import annotations

import subprocess

from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.pinned_packages import with_packages
from kfnb.resources.runs.kubeflow.submission import order

SCRIPT = """
PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location 'kfp==2.17.0'  &&  \
python3 -m pip install --quiet --no-warn-script-location 'pandas==2.3.3' && "$0" "$@"
"""


def spec(command):
    container = {"image": "python:3.11", "command": command, "args": ["--x"]}
    return {
        "pipelineInfo": {"name": "p"},
        "root": {"dag": {"tasks": {}}},
        "components": {"comp-a": {"executorLabel": "exec-a"}},
        "deploymentSpec": {"executors": {"exec-a": {"container": container}}},
    }


def command_of(found):
    return found["deploymentSpec"]["executors"]["exec-a"]["container"]["command"]


def test_each_python_step_installs_the_packages_last_and_then_runs_its_program(tmp_path):
    found = command_of(with_packages(spec(["sh", "-c", SCRIPT, "sh", "program"]), ["numpy==2.1.0", "a b==1"]))
    (tmp_path / "python3").write_text('#!/bin/sh\necho "$@" >> "$LOG"\n')
    (tmp_path / "program").write_text('#!/bin/sh\necho ran "$@" >> "$LOG"\n')
    for name in ("python3", "program"):
        (tmp_path / name).chmod(0o700)
    log = tmp_path / "log"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(log)}
    words = [*found[:3], str(tmp_path / "program"), "--x"]
    subprocess.run(words, check=True, env=environment)
    *_, own, pinned, ran = log.read_text().splitlines()
    assert own.endswith("pandas==2.3.3")
    assert pinned.endswith("--no-deps numpy==2.1.0 a b==1")
    assert ran == "ran --x"
    assert found[3:] == ["sh", "program"]


def test_without_packages_and_for_other_containers_nothing_changes():
    plain = spec(["sh", "-c", SCRIPT, "program"])
    assert with_packages(plain, []) is plain
    other = spec(["train", "--fast"])
    assert with_packages(other, ["numpy==2.1.0"]) == other


def test_a_submission_sends_them():
    sent = order(Submission(spec(["sh", "-c", SCRIPT, "program"]), {}, "r", packages=("numpy==2.1.0",)), "")
    assert "--no-deps numpy==2.1.0 &&" in command_of(sent["pipeline_spec"])[2]
