"""Studies to draw: what a search leaves, made up from a seed."""

from __future__ import annotations

import math
import random

from kfnb.entities import RunState, TaskError
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState

START = 1_795_000_000.0
NOW = START + 600.0

SPACE = (
    Dimension("lr", "float", 1e-5, 1e-1, log=True),
    Dimension("layers", "int", 1, 6, step=1),
    Dimension("act", "choice", choices=("relu", "tanh", "gelu")),
    Dimension("dropout", "float", 0.0, 0.5, step=0.1),
)
ERROR = TaskError(
    "ValueError: the loss is no number; <b>lr</b> is too large",
    'Traceback (most recent call last):\n  File "cell bowl", line 4\nValueError: the loss is no number',
    "cell bowl, line 4",
)


def bowl(count=40, *, seed=1, maximize=False, state=RunState.SUCCEEDED, curves=True, **more):
    """A bowl over a logarithmic learning rate: some trials fail, some are stopped early."""
    dice = random.Random(seed)
    trials = tuple(_trial(number, dice, curves=curves, maximize=maximize) for number in range(count))
    defaults = {
        "name": "bowl",
        "backend": "local",
        "objective": Objective("accuracy" if maximize else "loss", maximize=maximize, further=("size",)),
        "state": state,
        "subject": "train",
        "space": SPACE,
        "algorithm": "tpe",
        "early_stopping": "median",
        "max_trials": count,
        "parallel": 2,
        "created": START,
        "started": START,
        "finished": START + 7.5 * count if state.finished else None,
        "trials": trials,
        "importances": {"lr": 0.71, "layers": 0.16, "dropout": 0.09, "act": 0.004} if count > 4 else {},
    }
    return StudySnapshot(**(defaults | more))


def going_on(count=40, done=26):
    """The same, as it goes on: two trials run, the rest has not begun."""
    study = bowl(count, state=RunState.RUNNING)
    running = tuple(
        Trial(trial.number, TrialState.RUNNING, trial.params, curve=trial.curve[:4], started=NOW - 6)
        for trial in study.trials[done : done + 2]
    )
    importances = dict(study.importances)
    return StudySnapshot(
        **{**vars(study), "trials": (*study.trials[:done], *running), "importances": importances}
    )


def hostile():
    """Names and values that would act if they were not escaped."""
    tag = "<script>alert(1)</script>"
    return StudySnapshot(
        name=tag,
        backend=tag,
        objective=Objective(tag, goal=0.1),
        state=RunState.FAILED,
        subject=tag,
        space=(Dimension(tag, "choice", choices=(tag, '"><img src=x onerror=alert(1)>')),),
        algorithm=tag,
        trials=(
            Trial(
                0, TrialState.SUCCEEDED, {tag: tag}, 1.0, {tag: 2.0}, ((0, 2.0), (1, 1.0)), START, START + 1
            ),
            Trial(1, TrialState.FAILED, {tag: tag}, error=TaskError(tag, tag, tag)),
        ),
        importances={tag: 1.0},
        reason=tag,
        error=tag,
        notes=(tag,),
    )


def all_failed(count=6):
    """A study of which nothing came."""
    trials = tuple(
        Trial(
            number,
            TrialState.FAILED,
            {"lr": 0.1 * (number + 1)},
            started=START,
            finished=START + 1,
            error=ERROR,
        )
        for number in range(count)
    )
    return bowl(
        0, trials=trials, state=RunState.FAILED, error="3 trials failed, which is more than --max-failed 2"
    )


def choices_only(count=18):
    """A study over choices alone, to be maximized."""
    space = (
        Dimension("model", "choice", choices=("forest", "boosting", "linear")),
        Dimension("scale", "choice", choices=(True, False)),
        Dimension("k", "choice", choices=(1, 5, 25)),
    )
    dice = random.Random(3)
    trials = []
    for number in range(count):
        params = {dimension.name: dice.choice(dimension.choices) for dimension in space}
        value = {"forest": 0.9, "boosting": 0.93, "linear": 0.8}[params["model"]] + dice.gauss(0, 0.01)
        trials.append(
            Trial(number, TrialState.SUCCEEDED, params, value, {}, (), START + number, START + number + 1)
        )
    return bowl(
        0,
        name="models",
        objective=Objective("accuracy", maximize=True, goal=0.95),
        space=space,
        trials=tuple(trials),
        algorithm="grid",
        importances={"model": 0.93, "scale": 0.05, "k": 0.02},
        reason="no combination is left",
    )


def _trial(number, dice, *, curves, maximize):
    lr = 10 ** dice.uniform(-5, -1) if number < 12 else 10 ** min(-1, max(-5, dice.gauss(-2.7, 0.5)))
    params = {
        "lr": lr,
        "layers": dice.randint(1, 6),
        "act": dice.choice(("relu", "tanh", "gelu")),
        "dropout": round(dice.randint(0, 5) * 0.1, 1),
    }
    value = (
        0.05
        + 0.12 * (math.log10(lr) + 2.7) ** 2
        + 0.02 * abs(params["layers"] - 3)
        + abs(dice.gauss(0, 0.02))
    )
    value += {"relu": 0.0, "tanh": 0.03, "gelu": 0.01}[params["act"]]
    began = START + 7.4 * number
    if dice.random() < 0.07:
        return Trial(number, TrialState.FAILED, params, started=began, finished=began + 2, error=ERROR)
    steps = tuple(
        (step, value + math.exp(-step / 3) * (0.6 + 0.3 * dice.random())) for step in range(20) if curves
    )
    if maximize:
        value, steps = 1 - value, tuple((step, 1 - loss) for step, loss in steps)
    stopped = number > 6 and (value < 0.85 if maximize else value > 0.22) and dice.random() < 0.7
    if stopped:
        kept = steps[: dice.randint(4, 9)]
        state, value, steps = TrialState.EARLY_STOPPED, kept[-1][1] if kept else value, kept
    else:
        state = TrialState.SUCCEEDED
    return Trial(number, state, params, value, {"size": 1000 * params["layers"]}, steps, began, began + 14)
