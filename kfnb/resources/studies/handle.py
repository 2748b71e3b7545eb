"""The handle of a study: what ``kfnb.tune`` returns, whichever engine searches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kfnb.entities import RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import StudyFailed, UsageError, interrupted
from kfnb.extras import require
from kfnb.jobs.polling import poll
from kfnb.live.named_handle import NamedHandle
from kfnb.prices.current import current
from kfnb.prices.rates import Cost
from kfnb.resources.studies import model
from kfnb.resources.studies.costs import study_cost
from kfnb.resources.studies.engine import ObservedStudy, StudyEngine
from kfnb.resources.studies.importance import with_importances
from kfnb.resources.studies.model import Trial
from kfnb.resources.studies.plots import Plots


class Study(NamedHandle[StudyEngine]):
    """A search for the best parameters. Each property is read anew when it is accessed."""

    def snapshot(self, *, importances: bool = False) -> model.StudySnapshot:
        """The whole study as plain data, as it is now; with the parameters' ``importances``, if they are known."""
        study = self._engine.get(self.name)
        return with_importances(study) if importances else study

    def observe(self) -> ObservedStudy:
        """Observe the study: poll it for changes."""
        return self._engine.observe(self.name)

    def recorded(self) -> RunRecord:
        """What the engine has recorded of what the trials of a cell or a component ran on."""
        return self._engine.recorded(self.name)

    @property
    def state(self) -> RunState:
        """The study's state."""
        return self.snapshot().state

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials so far, in the order in which they began."""
        return self.snapshot().trials

    @property
    def best(self) -> Trial:
        """The best trial so far: ``value``, ``params`` and ``number``. Raises ``StudyFailed`` where there is none."""
        now = self.snapshot()
        if now.best is None:
            raise StudyFailed(
                f"study {self.name} has no trial with a value{'' if now.state.finished else ' yet'}",
                ref=self.name,
            )
        return now.best

    @property
    def cost(self) -> Cost:
        """An estimate of what its trials cost until now, by the prices of the settings. Raises ``UsageError``."""
        return study_cost(self.snapshot(), current()).total

    @property
    def plot(self) -> Plots:
        """Its charts: ``plot.history()``, ``.parallel()``, ``.slices()``, ``.importances()`` and ``.curves()``."""
        return Plots(self.snapshot)

    def wait(self, timeout: float | None = None) -> Study:
        """Wait until the study is finished, for ``timeout`` seconds at most.

        Raises ``StudyFailed`` unless it succeeded, and ``TimeoutError``; the study keeps running then, and when this is
        interrupted.
        """
        observed = self.observe()
        try:
            for _ in poll(observed, self.pace, timeout):
                pass
        except KeyboardInterrupt:
            message = (
                f"study {self.name} is still running; reattach with kfnb.study({self.name!r}),"
                " stop it with .stop()"
            )
            raise interrupted(message) from None
        now = observed.study
        if not observed.over:
            raise TimeoutError(f"study {self.name} is still {now.state} after {timeout} s; it keeps running")
        if now.state is not RunState.SUCCEEDED:
            message = f"study {now.name} of {now.subject}: {now.error or now.reason or now.state}"
            raise StudyFailed(message, ref=now.name)
        return self

    def stop(self) -> None:
        """End the study and all its processes; what it has found is kept."""
        self._engine.stop(self.name)

    def resume(self, trials: int | None = None) -> Study:
        """Continue a study that has ended: for ``trials`` more, or up to the number asked for at first.

        Raises ``UsageError`` and ``BackendError``.
        """
        if trials is not None and not (type(trials) is int and trials > 0):
            raise UsageError(f"trials={trials!r}: not a whole number from 1")
        self._engine.resume(self.name, trials=trials)
        return self

    def delete(self) -> None:
        """Forget the study for good. Raises ``BackendError`` where it still runs."""
        self._engine.delete(self.name)

    def logs(self, trial: int) -> str:
        """What a trial wrote."""
        return "\n".join(self.log_lines(trial))

    def log_lines(self, trial: int) -> Iterator[str]:
        """The lines that a trial wrote."""
        return self._engine.logs(self.name, trial)

    def to_frame(self) -> Any:
        """The trials as a pandas DataFrame, a row each."""
        require("pandas", "to_frame")
        import pandas as pd

        rows = [
            {
                "trial": trial.number,
                "state": str(trial.state),
                "value": trial.value,
                **{f"param.{name}": value for name, value in trial.params.items()},
                **{f"metric.{name}": value for name, value in trial.metrics.items()},
                "seconds": trial.seconds,
                **({"run": trial.run} if trial.run else {}),
                "error": trial.error.message if trial.error else None,
            }
            for trial in self.snapshot().trials
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        now = self.snapshot()
        best = (
            f", best {now.objective.metric} {now.best.value:g}"
            if now.best and now.best.value is not None
            else ""
        )
        return f"<Study {now.name} of {now.subject}: {now.state}, {len(now.trials)} trials{best}>"
