"""The commands of costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, option, word
from kfnb.commands.session import Session
from kfnb.entities import RunSnapshot
from kfnb.resources.costs import api
from kfnb.resources.costs.model import CostReport, OfferList, RunCost
from kfnb.resources.runs.handle import Run
from kfnb.target import BACKENDS


@dataclass(frozen=True, kw_only=True)
class ListCosts(Command):
    """Show what runs cost: an estimate, by what they requested and used, and by prices of a date."""

    binds = True
    json = "print the costs as JSON"

    since: str = option(
        default="30d",
        metavar="WHEN",
        help="only runs that ended from then on: 2026-11-25, or 30d for thirty days ago (default 30d)",
    )
    by: str = option(
        default="pipeline",
        values=("pipeline", "experiment", "user", "model", "namespace", "run"),
        help="what runs are summed by: pipeline (default), experiment, user, model, namespace or run",
    )
    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow")
    compare: str = option(
        default="",
        metavar="OFFERS",
        values="offer",
        help="what it would have cost there, separated by commas: own,gke,sagemaker (%%kf_costs prices lists them)",
    )
    what_if: str = option(
        default="",
        metavar="OFFER",
        values="offer",
        help="compute all costs by this offer, as n2-standard-8 or n2-standard-8,spot",
    )

    def run(self, session: Session) -> CostReport:
        """Sum them up."""
        del session
        return api.costs(
            since=self.since,
            by=self.by,
            backend=self.backend,
            compare=[name for name in self.compare.replace(" ", "").split(",") if name],
            what_if=self.what_if,
        )


@dataclass(frozen=True, kw_only=True)
class ShowCost(Command):
    """Show what a run costs until now, and each of its tasks."""

    binds = True
    json = "print the costs as JSON"

    run_id: str = word("the run's id, the start of it, or a variable", values="run", metavar="run")

    def run(self, session: Session) -> RunCost:
        """Show it."""
        found: Any = resolved(session.names, self.run_id, Run, RunSnapshot)
        return api.cost_of_run(found if isinstance(found, str) else found.id)


@dataclass(frozen=True, kw_only=True)
class ListPrices(Command):
    """Show the prices that costs are computed by, and offers of clouds, each with its date and source."""

    binds = True
    json = "print the prices as JSON"

    def run(self, session: Session) -> OfferList:
        """List them."""
        del session
        return api.offers()
