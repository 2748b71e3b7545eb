"""How models are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.models.data_damage import damage_of
from kfnb.resources.models.from_runs import is_run_known
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.importance_report import ImportanceReport
from kfnb.resources.models.leaderboard import Leaderboard
from kfnb.resources.models.model import (
    NO_DAMAGE,
    AliasChange,
    AliasHistory,
    DataDamage,
    ModelComparison,
    ModelVerification,
    Transfer,
    VersionSnapshot,
)
from kfnb.resources.models.view.comparison import draw_model_comparison
from kfnb.resources.models.view.importance import draw_importance
from kfnb.resources.models.view.leaderboard import draw_leaderboard
from kfnb.resources.models.view.transfer import draw_transfer
from kfnb.resources.models.view.verification import draw_model_verification
from kfnb.resources.models.view.version import draw_history, draw_model_version
from kfnb.resources.monitors.watching import Watching, watching


def as_json(version: VersionSnapshot) -> dict[str, Any]:
    """A version as ``--json`` prints it."""
    return {**asdict(version), "ref": version.ref, "state": str(version.state)}


def _page(one: ModelVersion) -> dict[str, str]:
    found = one.snapshot()
    return draw_model_version(
        found,
        one.siblings(),
        one.changes(),
        one.backend,
        _damage(one),
        _monitors(one).of_model(found.name),
        known_run=is_run_known(one),
    )


def _page_as_json(one: ModelVersion) -> dict[str, Any]:
    watched = [asdict(each) for each in _monitors(one).of_model(one.name)]
    return {**as_json(one.snapshot()), "damaged_data": dict(_damage(one).problems), "monitors": watched}


def _monitors(one: ModelVersion) -> Watching:
    """Those of its backend."""
    return watching(one.backend)


def _damage(one: ModelVersion) -> DataDamage:
    """That of the data behind a version of this machine; a cluster's may be in another data store."""
    return damage_of(one.snapshot().behind) if one.backend == "local" else NO_DAMAGE


def _board(board: Leaderboard) -> dict[str, Any]:
    shown = board.snapshot()
    return {
        "by": board.by,
        "maximize": board.maximize,
        "entries": [asdict(one) for one in board],
        "damaged_data": dict(shown.damage.problems),
        "costs": {
            run: {"amount": cost.amount, "currency": cost.currency} for run, cost in shown.costs.items()
        },
    }


DISPLAYS = {
    Leaderboard: Display(lambda board: draw_leaderboard(board.snapshot()), _board),
    ModelVersion: Display(_page, _page_as_json),
    ModelVerification: Display(draw_model_verification, asdict),
    AliasChange: Display(lambda one: draw_history([one]), asdict),
    AliasHistory: Display(draw_history, lambda changes: [asdict(one) for one in changes]),
    Transfer: Display(draw_transfer, asdict),
    ImportanceReport: Display(draw_importance, asdict),
    ModelComparison: Display(
        draw_model_comparison,
        lambda one: [as_json(version) for version in one.versions],
    ),
}
