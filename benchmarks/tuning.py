"""Searches: the local engine beside Optuna's own ``study.optimize`` with the same storage, both from nothing.

Both sides count all that a user waits for: a process is started, Optuna is imported, and the trials run. Ours also
starts the workers. What is looked at is the study of a reader that has been there before.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, in_turn
from benchmarks.shell import notebook_shell

TRIALS, MANY, SLEEPS = 100, 10_000, 30
SPACE = "x=float(-10,10) y=float(-10,10)"

_OPTUNA = """
import sys
import optuna
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.WARNING)
storage = optuna.storages.JournalStorage(JournalFileBackend(sys.argv[1] + "/journal.log"))
study = optuna.create_study(study_name="bowl", storage=storage, sampler=optuna.samplers.TPESampler(seed=1))
study.optimize(
    lambda trial: trial.suggest_float("x", -10, 10) ** 2 + trial.suggest_float("y", -10, 10) ** 2,
    n_trials=int(sys.argv[2]),
)
"""


def tuning() -> Iterator[Measured]:
    """Many trivial trials, trials that wait, and the view of a long study."""
    with notebook_shell() as shell:
        mine, peer = in_turn(3, partial(_ours, shell, "z = x**2 + y**2", TRIALS), _optuna)
        yield Measured(f"a study of {TRIALS} trivial trials", mine, "1.5 x Optuna", peer, "study.optimize")
        waiting = "import time\ntime.sleep(1)\nz = x**2 + y**2"
        one, two = in_turn(1, *(partial(_ours, shell, waiting, SLEEPS, workers) for workers in (1, 2)))
        yield Measured(f"{SLEEPS} trials of 1 s, one worker", one, "")
        yield Measured("the same, two workers", two, "1 / 1.9 (0.53)", one, "one worker")
        yield from _long()


def _ours(shell: Any, body: str, trials: int, parallel: int = 1) -> float:
    """The seconds from ``tune`` to the study's end."""
    from kfnb import ipython
    from kfnb.capture.component import Options
    from kfnb.resources.studies import api

    cell = ipython.extension_of(shell).kernel.trial_cell("bowl", "", body)
    subject = api.cell_subject(cell, Options(), SPACE, objective="z")
    start = time.perf_counter()
    api.tune(subject, SPACE, objective="z", maximize=False, trials=trials, parallel=parallel, seed=1).wait()
    return time.perf_counter() - start


def _optuna() -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-W", "ignore", "-c", _OPTUNA, folder, str(TRIALS)], check=True)
        return time.perf_counter() - start


def _long() -> Iterator[Measured]:
    """A study of many trials is opened; then one more ends, and is seen."""
    from kfnb.jobs.eventlog import opened
    from kfnb.resources.studies import api
    from kfnb.resources.studies.local.journal import StudyJournal
    from kfnb.resources.studies.local.outcome import Outcome
    from kfnb.resources.studies.model import TrialState
    from kfnb.resources.studies.wire import StudyWire
    from kfnb.settings import settings

    folder = _made(Path(settings().home))
    start = time.perf_counter()
    study = api.study("bowl")
    observed = study.observe()
    observed.refresh()
    opening = time.perf_counter() - start
    assert len(observed.study.trials) == MANY
    yield Measured(f"a study of {MANY:,} trials is opened", opening, "1 s")
    wire, found = StudyWire(), []
    wire.whole(observed.study)
    with opened(folder) as log:
        journal = StudyJournal(log)
        for number in range(MANY, MANY + 10):
            journal.began(number, {"x": 1.0, "y": 1.0})
            journal.ended(number, Outcome(TrialState.SUCCEEDED, 2.0))
            start, before = time.perf_counter(), observed.study
            observed.refresh()
            wire.change(before, observed.study)
            found.append(time.perf_counter() - start)
    looked = statistics.median(found) + study.pace.longest
    yield Measured("a new trial of it is told to the page, at the latest", looked, "100 ms")


def _made(home: Path) -> Path:
    """The folder of the last study, with so many trials written into its events."""
    from kfnb.jobs.eventlog import opened

    folder = home / "studies" / "bowl"
    chance = random.Random(1)  # noqa: S311 - made-up trials
    with opened(folder) as log:
        known = sum(event.kind == "ended" for event in log.read())
        facts = []
        for number in range(known, MANY):
            params = {"x": chance.uniform(-10, 10), "y": chance.uniform(-10, 10)}
            told = {"state": "SUCCEEDED", "finished": 1.0, "value": params["x"] ** 2 + params["y"] ** 2}
            facts += [
                ("began", str(number), {"params": params, "started": 0.0}),
                ("ended", str(number), told),
            ]
        log.append(facts)
    return folder
