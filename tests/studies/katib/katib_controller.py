"""What Katib's controllers do with the Experiments of a ``KatibServer``: trials begin and end, and so do Experiments.

The conditions and their words are those of the recorded objects (``data/katib.json``).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from katib_server import EXPERIMENTS, TRIALS, Item, KatibServer

from kfnb.remote.kubernetes.experiments import ALL_REACHED, held_conditions
from kfnb.resources.studies.katib import parameters
from kfnb.resources.studies.local import sampler

_LOOK = 0.02
_SUCCEEDED = "Trial has succeeded. Job message: Reached expected number of succeeded pods"
_FAILED = "Trial has failed. Job message: Job has reached the specified backoff limit"


@dataclass(frozen=True)
class Ran:
    """What came of a trial: what its pod printed, and its objective, None where it failed."""

    text: str
    loss: float | None


Trial = Callable[[str, Mapping[str, float]], Ran | None]
"""Runs a trial of the Experiment of that name with these parameters; None as long as it is not over."""


class Controller:
    """Goes on with each Experiment, again and again. All of them search a grid for ``loss``."""

    def __init__(self, server: KatibServer, trial: Trial) -> None:
        self._server, self._trial = server, trial
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    @contextmanager
    def going(self) -> Iterator[None]:
        """Until the block's end."""
        self._thread.start()
        yield
        self._ended.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._ended.wait(_LOOK):
            with self._server.lock:
                objects = list(self._server.objects.items())
                for path, item in objects:
                    if path.startswith(EXPERIMENTS):
                        self._continue(item)

    def _continue(self, item: Item) -> None:
        name, spec = item["metadata"]["name"], item["spec"]
        held, trials = held_conditions(item), self._trials(name)
        if not held:
            self._server.condition(name, "Created", "ExperimentCreated")
            self._server.condition(name, "Running", "ExperimentRunning")
        elif held.get("Succeeded", {}).get("reason") == ALL_REACHED and spec["maxTrialCount"] > len(trials):
            self._server.condition(name, "Restarting", "ExperimentRestarting")
        elif not held.keys() & {"Succeeded", "Failed"} and not self._has_ended(name, spec, trials):
            self._begin(name, spec, trials)

    def _has_ended(self, name: str, spec: Item, trials: list[Item]) -> bool:
        for trial in trials:
            if "Running" in held_conditions(trial):
                self._end(name, trial)
        trials = self._trials(name)
        failed = sum("Failed" in held_conditions(one) for one in trials)
        values = [
            float(one["latest"])
            for trial in trials
            for one in trial["status"].get("observation", {}).get("metrics", ())
        ]
        if failed >= max(1, spec.get("maxFailedTrialCount", len(trials) + 1)):
            message = "Experiment has failed because max failed count has reached"
            self._server.condition(name, "Failed", "ExperimentFailed", message)
        elif "goal" in spec["objective"] and min(values, default=1e9) <= spec["objective"]["goal"]:
            self._server.condition(name, "Succeeded", "ExperimentGoalReached")
        elif len(trials) >= spec["maxTrialCount"] and not self._running(trials):
            self._server.condition(name, "Succeeded", ALL_REACHED)
        else:
            return False
        return True

    def _begin(self, name: str, spec: Item, trials: list[Item]) -> None:
        room = min(
            spec["maxTrialCount"] - len(trials), spec["parallelTrialCount"] - len(self._running(trials))
        )
        points = _points(spec)
        for number in range(len(trials), len(trials) + max(0, room)):
            point = points[number % len(points)]
            self._server.trial(name, f"{name}-{number:04}", **point)

    def _end(self, name: str, trial: Item) -> None:
        told = {one["name"]: float(one["value"]) for one in trial["spec"]["parameterAssignments"]}
        ran = self._trial(name, told)
        if ran is None:
            return
        own = trial["metadata"]["name"]
        self._server.pod(own, trial=ran.text)
        if ran.loss is None:
            self._server.ends(own, "Failed", _FAILED)
        else:
            self._server.ends(own, "Succeeded", _SUCCEEDED, loss=(str(ran.loss),) * 3)

    def _trials(self, name: str) -> list[Item]:
        found: list[Item] = self._server.listed(TRIALS, f"katib.kubeflow.org/experiment={name}")["items"]
        return found

    def _running(self, trials: list[Item]) -> list[Item]:
        return [one for one in trials if "Running" in held_conditions(one)]


def _points(spec: Item) -> list[dict[str, Any]]:
    """The points of an Experiment's grid, as Katib writes their values."""
    space = [parameters.read(one) for one in spec["parameters"]]
    values = [[parameters.text(value) for value in sampler.values(one)] for one in space]
    names = [one.name for one in space]
    return [dict(zip(names, point, strict=True)) for point in itertools.product(*values)]
