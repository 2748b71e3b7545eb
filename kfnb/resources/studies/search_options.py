"""The options of a search: the space, the objective and how it is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.commands.command import flag, option, repeated
from kfnb.errors import UsageError
from kfnb.resources.runs.commands import budget_option
from kfnb.resources.studies.algorithms import ALGORITHMS, DEFAULT, EARLY_STOPPING
from kfnb.target import BACKENDS
from kfnb.text.literals import read_literal


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The space, the objective and the search."""

    space: str | None = option(
        metavar="SPACE",
        help='"lr=log(1e-5,1e-1) layers=int(1,6) act=choice(relu,tanh) drop=float(0,0.5,step=0.1)",'
        " or a name of a dict or a function",
    )
    objective: str | None = option(
        metavar="METRIC",
        help="the metric to optimize: a name that the cell assigns or logs, or task.output of a pipeline",
    )
    minimize: bool = flag(help="lower is better")
    maximize: bool = flag(help="higher is better")
    goal: float | None = option(type=float, metavar="VALUE", help="end when a trial reaches this value")
    metric: tuple[str, ...] = repeated(metavar="NAME", help="a further metric to record")
    algorithm: str = option(
        default=DEFAULT,
        metavar="NAME",
        values=tuple(ALGORITHMS),
        help="auto (the default; on a cluster Katib's multivariate-tpe), random, grid, tpe, multivariate-tpe, cmaes,"
        " sobol, bayesianoptimization or hyperband",
    )
    early_stopping: str = option(
        default="",
        metavar="NAME",
        values=tuple(EARLY_STOPPING),
        help="median: end trials that are worse than the median of earlier ones",
    )
    setting: tuple[str, ...] = repeated(
        metavar="NAME=VALUE",
        help="a setting of the algorithm or of early stopping, by Katib's name",
        values="algorithm setting",
    )
    trials: int | None = option(
        type=int, metavar="N", help="number of trials (default 30, or all points of a grid)"
    )
    parallel: int = option(type=int, default=1, metavar="N", help="number of trials at once (default 1)")
    timeout: str | None = option(metavar="DURATION", help="end after this time: 90 (seconds), 10m, 2h")
    seed: int | None = option(
        type=int, metavar="N", help="seed of the search and of each trial's random numbers"
    )
    max_failed: int | None = option(type=int, metavar="N", help="end when N trials have failed")
    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow (Katib)")
    budget: float | None = budget_option("all trials")
    dry_run: bool = flag(help="show the Experiment for the cluster, and start nothing")

    def search(self, prog: str) -> dict[str, Any]:
        """The options as keywords of ``kfnb.tune``, but for the subject and the space. Raises ``UsageError``."""
        if not self.objective:
            raise UsageError(
                f"{prog}: --objective is required:", hint="the metric to optimize", ref="--objective"
            )
        if self.minimize == self.maximize:
            message = "are both given: choose one" if self.minimize else "is required"
            joined = "and" if self.minimize else "or"
            raise UsageError(f"{prog}: --minimize {joined} --maximize {message}")
        timeout: str | float | None = self.timeout
        if self.timeout is not None and self.timeout.replace(".", "", 1).isdigit():
            timeout = float(self.timeout)
        return {
            "objective": self.objective,
            "maximize": self.maximize,
            "goal": self.goal,
            "metrics": self.metric,
            "algorithm": self.algorithm,
            "early_stopping": self.early_stopping,
            "settings": dict(_setting(text, prog) for text in self.setting),
            "trials": self.trials,
            "parallel": self.parallel,
            "timeout": timeout,
            "seed": self.seed,
            "max_failed": self.max_failed,
            "backend": self.backend,
            "budget": self.budget,
        }

    def space_in(self, names: Mapping[str, Any], prog: str) -> Any:
        """The space: as given, or the value of a name of the notebook. Raises ``UsageError``."""
        text = (self.space or "").strip()
        if not text:
            raise UsageError(
                f'{prog}: --space is required, such as --space "lr=log(1e-5,1e-1) layers=int(1,6)"'
            )
        if text.isidentifier():
            if text not in names:
                raise UsageError(f"{prog}: --space {text}: {text} is not defined here")
            return names[text]
        return read_literal(text) if text.startswith("{") else text


def _setting(text: str, prog: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{prog}: --setting {text}: write NAME=VALUE")
    return name.strip(), value.strip()
