"""How a cluster's status and checks are shown."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from kfnb.commands.display import Display
from kfnb.diagnostics import LogList
from kfnb.resources.cluster.model import CheckList, Status, StatusItem
from kfnb.resources.cluster.view.checks import draw_checks
from kfnb.resources.cluster.view.logs import draw_logs
from kfnb.resources.cluster.view.status import draw_status
from kfnb.resources.runs.display import as_row


def as_data(status: Status) -> dict[str, Any]:
    """A status as ``--json`` prints it: of a run as much as elsewhere."""
    runs = [as_row(run) for run in status.runs.value or ()] if status.runs.known else None
    data = asdict(replace(status, runs=StatusItem(status.runs.knowledge, None, status.runs.reason)))
    data["runs"]["value"] = runs
    return data


DISPLAYS = {
    Status: Display(draw_status, as_data),
    LogList: Display(draw_logs, lambda logs: [asdict(one) for one in logs.files]),
    CheckList: Display(draw_checks, lambda checks: [asdict(one) for one in checks]),
}
