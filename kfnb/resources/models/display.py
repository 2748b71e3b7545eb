"""How models are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.models import api
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.leaderboard import Leaderboard
from kfnb.resources.models.model import AliasChange, AliasHistory, ModelComparison, VersionSnapshot
from kfnb.resources.models.transfer import Transfer
from kfnb.resources.models.view.comparison import draw_model_comparison
from kfnb.resources.models.view.leaderboard import draw_leaderboard
from kfnb.resources.models.view.transfer import draw_transfer
from kfnb.resources.models.view.version import draw_history, draw_model_version


def as_json(version: VersionSnapshot) -> dict[str, Any]:
    """A version as ``--json`` prints it."""
    return {**asdict(version), "ref": version.ref, "state": str(version.state)}


def _board(board: Leaderboard) -> dict[str, Any]:
    return {"by": board.by, "maximize": board.maximize, "entries": [asdict(one) for one in board]}


DISPLAYS = {
    Leaderboard: Display(draw_leaderboard, _board),
    ModelVersion: Display(
        lambda one: draw_model_version(
            one.snapshot(), one.siblings(), one.changes(), one.backend, known_run=api.is_run_known(one)
        ),
        lambda one: as_json(one.snapshot()),
    ),
    AliasChange: Display(lambda one: draw_history([one]), asdict),
    AliasHistory: Display(draw_history, lambda changes: [asdict(one) for one in changes]),
    Transfer: Display(draw_transfer, asdict),
    ModelComparison: Display(
        lambda one: draw_model_comparison(one.versions),
        lambda one: [as_json(version) for version in one.versions],
    ),
}
