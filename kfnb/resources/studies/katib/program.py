"""What a trial's container runs: components as KFP runs them, with metrics printed as Katib's collector reads them.

The text of this file travels in the trial's template; so it needs Python's own library alone, from 3.9 on.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

_TUNED = "TRIAL_"
_OUTPUT = "executor_output.json"


class Metrics:
    """The lines of one step, before the collector reads them; it searches for ``name=value``.

    ``names`` are the metrics of this step; ``every`` those of all steps, which the collector knows by these names too.
    ``last`` holds the last printed value of each.
    """

    def __init__(self, names: Sequence[str], every: Sequence[str]) -> None:
        mine, others = (
            "|".join(map(re.escape, some)) or "$^"
            for some in (names, [name for name in every if name not in names])
        )
        number = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[Ee][+-]?\d+)?"
        self.last: dict[str, float] = {}
        self._pattern = re.compile(rf"(?<![\w|-])({mine})\s*=\s*({number})")
        self._others = re.compile(rf"(?<![\w|-])(?:({mine})\s*=\s*(?!\s*[+-]?\.?\d)|({others})\s*=\s*)")

    def write(self, line: str) -> None:
        """Print a line; if it has a metric, with the time before it, by which the collector orders values."""
        # the collector would take loss=nan for a value, and fail; and another step's accuracy for this one's
        line = self._others.sub(lambda found: f"{found[1] or found[2]} is ", line)
        found = self._pattern.findall(line)
        self.last.update((name, float(value)) for name, value in found)
        now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ} " if found else ""
        sys.stdout.write(f"{now}{line}\n")
        sys.stdout.flush()

    def report(self, name: str, value: float) -> None:
        """Print a metric's final value, unless it is the last value printed."""
        if self.last.get(name) != value:
            self.write(f"{name}={value!r}")


class ProgramStep:
    """One step: an item of ``KFNB_STEPS``.

    It has a ``name``; its ``command``, in which null stands for its source; its ``inputs`` with their types, and a
    value, the pipeline's parameter or another step's output; the artifacts that it ``takes``, by step and output; its
    ``outputs``; its ``artifacts`` with their types; the ``metrics`` that it prints, with its own names for them.
    """

    def __init__(self, spec: Mapping[str, Any], source: str, folder: Path) -> None:
        self.spec, self.folder = spec, folder / spec["name"]
        self._source = source
        self.outputs: dict[str, Any] = {}
        self.artifacts: dict[str, Any] = {}
        self.logged: dict[str, Any] = {}

    def run(self, tuned: Mapping[str, str], before: Mapping[str, ProgramStep], metrics: Metrics) -> int:
        """Run it after the steps ``before``, with the pipeline's parameters as texts; its exit status."""
        self.folder.mkdir()
        words = {None: self._source, "{{$}}": json.dumps(self._input(tuned, before))}
        status = run([words.get(word, word) for word in self.spec["command"]], metrics)
        self._collect()
        return status

    def _input(self, tuned: Mapping[str, str], before: Mapping[str, ProgramStep]) -> dict[str, Any]:
        """KFP's ExecutorInput, with outputs that are files in the step's folder."""
        values = {
            name: value
            for name, source in self.spec["inputs"].items()
            if (value := _value(source, tuned, before)) is not None
        }
        artifacts = {
            name: {"artifacts": [before[task].artifacts[output]]}
            for name, (task, output) in self.spec["takes"].items()
        }
        return {
            "inputs": {"parameterValues": values, "artifacts": artifacts},
            "outputs": {
                "parameters": {
                    name: {"outputFile": str(self.folder / name)} for name in self.spec["outputs"]
                },
                "artifacts": {name: {"artifacts": [self._planned(name)]} for name in self.spec["artifacts"]},
                "outputFile": str(self.folder / _OUTPUT),
            },
        }

    def _planned(self, name: str) -> dict[str, Any]:
        kind = {"schemaTitle": self.spec["artifacts"][name]}
        return {"name": name, "type": kind, "uri": str(self.folder / name), "metadata": {}}

    def _collect(self) -> None:
        """What the component logged and put out."""
        output = self.folder / _OUTPUT
        written = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
        for name in self.spec["artifacts"]:
            listed = written.get("artifacts", {}).get(name, {}).get("artifacts", ())
            self.artifacts[name] = {**self._planned(name), **(listed[0] if listed else {})}
            self.logged.update(self.artifacts[name].get("metadata") or {})
        for name in self.spec["outputs"]:
            if (self.folder / name).is_file():
                self.outputs[name] = _parsed((self.folder / name).read_text(encoding="utf-8"))
        self.outputs.update(written.get("parameterValues", {}))


def main(environ: Mapping[str, str]) -> int:
    """Run the steps that the environment describes, and print their metrics; return the exit status.

    ``KFNB_STEPS`` are the steps in their order, ``KFNB_SOURCE_0`` and so on their sources, ``KFNB_METRICS`` the names
    of all metrics, the objective first. The pipeline's parameters are called ``TRIAL_`` and their name.
    """
    steps, every = json.loads(environ["KFNB_STEPS"]), json.loads(environ["KFNB_METRICS"])
    tuned = {name[len(_TUNED) :]: text for name, text in environ.items() if name.startswith(_TUNED)}
    folder, metrics = Path(tempfile.mkdtemp()), Metrics(every, every)
    done: dict[str, ProgramStep] = {}
    found: dict[str, Any] = {}
    printed: dict[str, float] = {}
    for number, part in enumerate(steps):
        step, metrics = (
            ProgramStep(part, environ[f"KFNB_SOURCE_{number}"], folder),
            Metrics([*part["metrics"]], every),
        )
        if len(steps) > 1:
            metrics.write(f"kfnb: step {part['name']}")
        if status := step.run(tuned, done, metrics):
            return status if status > 0 else 128 - status
        done[part["name"]] = step
        here = {**metrics.last, **step.logged, **step.outputs}
        found.update({name: here[own] for name, own in part["metrics"].items() if own in here})
        for name in part["metrics"]:
            if (value := number_of(found.get(name))) is not None:
                metrics.report(name, value)
        printed.update(metrics.last)
    return ending(metrics, every[0], found, printed)


def _value(source: Mapping[str, Any], tuned: Mapping[str, str], before: Mapping[str, ProgramStep]) -> Any:
    """A parameter of a step; what Katib hands on as a text, as the component declares it."""
    if source["parameter"] in tuned:
        return typed(tuned[source["parameter"]], source["type"])
    if not source["task"]:
        return source["value"]
    value = before[source["task"]].outputs.get(source["output"], source["value"])
    return int(value) if source["type"] == "NUMBER_INTEGER" and isinstance(value, float) else value


def typed(text: str, kind: str) -> Any:
    """A text as a parameter of a kind."""
    if kind == "STRING":
        return text
    if kind == "NUMBER_DOUBLE":
        return float(text)
    return int(float(text)) if kind == "NUMBER_INTEGER" else json.loads(text)


def run(command: list[str], metrics: Metrics) -> int:
    """Run a command and pass its output on line by line; its exit status, as ``subprocess`` has it."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # what it reports must arrive while it runs; a trial is tried again as a whole, by its Job
        env={**os.environ, "PYTHONUNBUFFERED": "1", "KFNB_RETRIES": "outside"},
        encoding="utf-8",
        errors="replace",
    )

    def end(number: int, _: Any) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        sys.exit(128 + number)

    signal.signal(
        signal.SIGTERM, end
    )  # Katib's early stopping ends this process, and this one ends the others
    assert process.stdout is not None
    for line in process.stdout:
        metrics.write(line.rstrip("\r\n"))
    return process.wait()


def ending(metrics: Metrics, objective: str, found: Mapping[str, Any], printed: Mapping[str, float]) -> int:
    """0 where the objective is a finite number, else in words what it is.

    One without a value ends well, as Katib then says MetricsUnavailable; not if an intermediate value would count.
    """
    value = found.get(objective)
    if number_of(value) is not None:
        return 0
    if value is None:
        metrics.write(f"it ended without {objective}")
    elif isinstance(value, float):
        metrics.write(f"{objective} is {value}: an objective is a finite number")
    else:
        metrics.write(f"{objective} is {value!r}: an objective is a number"[:500])
        return 1
    return 1 if objective in printed else 0


def number_of(value: Any) -> Optional[float]:  # noqa: UP045 - also where Python is 3.9
    """A finite number; None for all else."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main(os.environ))
