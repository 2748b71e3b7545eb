"""An engine of one study that is made up, for notebooks of tests and benchmarks."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kfnb.entities import RunState
from kfnb.jobs.polling import Pace
from kfnb.resources.studies.handle import Study as Handle
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState

SPACE = (
    Dimension("lr", "float", 1e-5, 1e-1, log=True),
    Dimension("layers", "int", 1, 6),
    Dimension("act", "choice", choices=("relu", "tanh", "gelu")),
    Dimension("dropout", "float", 0.0, 0.5),
)


class MadeUp:
    """A study of ``count`` trials that goes on; ``put`` ends one more."""

    name = "made up"
    pace = Pace(0.06, 0.06)

    def __init__(self, name: str, count: int) -> None:
        self._dice = random.Random(1)
        began = time.time()
        objective = Objective("loss")
        trials = tuple(self._trial(number, began) for number in range(count))
        self._study = StudySnapshot(
            name, self.name, objective, RunState.RUNNING, "train", SPACE, "tpe",
            max_trials=2 * count, parallel=2, created=began, started=began, trials=trials,
        )  # fmt: skip
        self.handle = Handle(self, name)  # type: ignore[arg-type]  # as much of an engine as is looked at

    def _trial(self, number: int, began: float) -> Trial:
        dice = self._dice
        params = {
            "lr": 10 ** dice.uniform(-5, -1),
            "layers": dice.randint(1, 6),
            "act": dice.choice(("relu", "tanh", "gelu")),
            "dropout": dice.uniform(0, 0.5),
        }
        curve = tuple((float(step), 1 / (step + 1) + dice.random() / 9) for step in range(20))
        return Trial(number, TrialState.SUCCEEDED, params, curve[-1][1], {}, curve, began, began + 1)

    def put(self) -> None:
        """One more trial has ended."""
        trials = self._study.trials
        self._study = replace(self._study, trials=(*trials, self._trial(len(trials), time.time())))

    def get(self, name: str) -> StudySnapshot:
        del name
        return self._study

    def observe(self, name: str) -> Looks:
        del name
        return Looks(self)

    def logs(self, name: str, trial: int) -> Iterator[str]:
        del name
        return iter([f"trial {trial}"])


class Looks:
    """Looks at the study, one after the other."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.study = replace(engine.get(""), trials=())

    @property
    def over(self) -> bool:
        return self.study.state.finished

    def refresh(self) -> set[int]:
        known = len(self.study.trials)
        self.study = self._engine.get("")
        return set(range(known, len(self.study.trials)))
