"""A compiled step run as KFP's launcher runs it: its own command line, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kfnb.resources.components import api


@dataclass(frozen=True)
class Launched:
    """How a step ended: its exit code, its log, and its outputs as KFP reads them."""

    code: int
    log: str
    parameters: dict[str, Any]
    metadata: dict[str, Any]


def launch(
    pipeline: str,
    step: str,
    folder: Path,
    *,
    edit: tuple[str, str] = ("", ""),
    takes: Mapping[str, Path] = MappingProxyType({}),
    **variables: str,
) -> Launched:
    """Run one step of a pipeline of this notebook in ``folder``, with the artifacts that it ``takes`` as its inputs.

    Its program may be edited before.
    """
    spec = api.spec_of(pipeline).spec
    container = spec["deploymentSpec"]["executors"][f"exec-{step}"]["container"]
    outputs = spec["components"][f"comp-{step}"].get("outputDefinitions", {})
    told = folder / "executor_output.json"
    given = {
        "inputs": {
            "parameterValues": {},
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": str(path), "metadata": {}}]}
                for name, path in takes.items()
            },
        },
        "outputs": {
            "parameters": {
                name: {"outputFile": str(folder / name)} for name in outputs.get("parameters", {})
            },
            "artifacts": {
                name: {
                    "artifacts": [
                        {
                            "name": name,
                            "type": {"schemaTitle": port["artifactType"]["schemaTitle"]},
                            "uri": str(folder / "artifacts" / name),
                            "metadata": {},
                        }
                    ]
                }
                for name, port in outputs.get("artifacts", {}).items()
            },
            "outputFile": str(told),
        },
    }
    words = [*container["command"], *container["args"]]
    command = [json.dumps(given) if word == "{{$}}" else word for word in words]
    command = [word.replace(*edit) if edit[0] else word for word in command]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **variables}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    written = json.loads(told.read_text()) if told.exists() else {}
    artifacts = written.get("artifacts", {})
    return Launched(
        done.returncode,
        done.stdout,
        written.get("parameterValues", {}),
        {name: one["artifacts"][0]["metadata"] for name, one in artifacts.items()},
    )
